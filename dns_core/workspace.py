"""What every stage is given, and where in a workspace everything lies."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from dns_core.fleet import Fleet, LocalFleet
from dns_core.ports import AcceptAll, DataValidator, NullRunLogger, Progress, RunLogger, SilentProgress

COLLECTIONS = ("train", "database", "queries")
"""The unlabelled videos to learn from, the videos to search, and the videos to search with."""


class StageConfig(BaseModel):
    """The settings of one stage: frozen, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder that holds ``params.yaml``, ``data/`` and ``artifacts/``; the home of all path names."""

    root: Path

    @property
    def artifacts(self) -> Path:
        """Everything that stages write."""
        return self.root / "artifacts"

    @property
    def models(self) -> Path:
        """The bundle: all models of one generation."""
        return self.artifacts / "models"

    @property
    def index(self) -> Path:
        """The index over the database collection."""
        return self.artifacts / "index"

    @property
    def ground_truth(self) -> Path:
        """The annotation of queries and database."""
        return self.root / "data" / "test" / "ground_truth.json"

    def videos(self, collection: str) -> Path:
        """Folder of one collection's video files."""
        return self.root / "data" / ("train" if collection == "train" else f"test/{collection}")

    def probes(self, collection: str) -> Path:
        """Readable and quarantined videos of a collection."""
        return self.artifacts / "probes" / f"{collection}.json"

    def features(self, collection: str) -> Path:
        """Region descriptors as the backbone gives them; ``views`` are edited copies of ``train``."""
        return self.artifacts / "features" / f"{collection}.hdf5"

    def extraction_quarantine(self, collection: str) -> Path:
        """Videos of a collection that probed well and then failed to decode."""
        return self.artifacts / "features" / "quarantine" / f"{collection}.json"

    def whitened(self, collection: str) -> Path:
        """Whitened region descriptors."""
        return self.artifacts / "whitened" / f"{collection}.hdf5"

    def model(self, name: str) -> Path:
        """One network of the bundle."""
        return self.models / f"{name}.safetensors"

    def table(self, name: str) -> Path:
        """A table of pairs: ``mined``, ``labelled`` or ``scored``."""
        return self.artifacts / "pairs" / f"{name}.parquet"

    def training_log(self, name: str) -> Path:
        """Losses by epoch of one network."""
        return self.artifacts / "training" / f"{name}.json"

    def partial(self, name: str) -> Path:
        """Where interrupted work waits to be resumed; never an output."""
        return self.artifacts / ".partial" / name

    @property
    def split(self) -> Path:
        """Which training videos share footage, and which validate."""
        return self.artifacts / "split.json"

    @property
    def quality_folder(self) -> Path:
        """What the stages that validate write."""
        return self.artifacts / "quality"

    def quality(self, stage: str) -> Path:
        """What a stage that validates found, as JSON; a page of the same name lies beside it."""
        return self.quality_folder / f"{stage}.json"

    def validated(self, stage: str) -> Path:
        """A file that is there, and always the same, once the data have passed a stage that validates.

        Training depends on it, so that it waits for the stage, and is not repeated when a limit changes.
        """
        return self.quality_folder / f"{stage}.passed"

    @property
    def report(self) -> Path:
        """The figures of the last evaluation."""
        return self.artifacts / "report.json"

    @property
    def metrics(self) -> Path:
        """The few figures of the report that ``dvc metrics`` compares."""
        return self.artifacts / "metrics.json"

    @property
    def trade_off(self) -> Path:
        """The trade-off curve, a row a method and budget, as ``dvc plots`` draws it."""
        return self.artifacts / "trade_off.json"


@dataclass(frozen=True, slots=True)
class StageContext:
    """Where a stage runs and what it reports to.

    Attributes:
        workspace: where it reads and writes.
        item: the item of a matrix stage, for example ``fine_binary``; empty otherwise.
        device: torch device of its networks.
        n_devices: of these devices a stage may use; the students train on all of them together.
        progress: shows long loops.
        logger: records params and metrics.
        validator: validates the data before training.
    fleet: Fleet = field(default_factory=LocalFleet)
        fleet: runs what is one task a video; the results are the same on any.
    """

    workspace: Workspace
    item: str = ""
    device: str = "cpu"
    n_devices: int = 1
    progress: Progress = field(default_factory=SilentProgress)
    logger: RunLogger = field(default_factory=NullRunLogger)
    validator: DataValidator = field(default_factory=AcceptAll)
    fleet: Fleet = field(default_factory=LocalFleet)
