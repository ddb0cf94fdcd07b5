"""Stage ``extract_features``.

Reads: artifacts/probes/COLLECTION.json and the videos that they list.
Writes: artifacts/features/COLLECTION.hdf5, artifacts/features/views.hdf5 (edited copies of train),
    artifacts/features/quarantine/COLLECTION.json (videos that probed well and then failed to decode), and
    artifacts/models/backbone.onnx.
Params: extract_features.
Repeats exactly: yes on one machine; an interrupted run resumes with the video that was interrupted.
"""

from collections.abc import Sequence
from contextlib import closing

from pydantic import Field

from dns_core.errors import VideoError
from dns_core.features.description import Description, Frame
from dns_core.features.exported_frames import BACKBONE_GRAPH
from dns_core.features.live_frames import LiveFrames, export_frames
from dns_core.features.registry import load_backbone
from dns_core.fleet import Json, Task, Work, run_all
from dns_core.records import Precision, Quarantined, VideoProbe
from dns_core.stages.shared.describing_videos import description_of, open_writer
from dns_core.store.feature_store import FeatureWriter
from dns_core.store.fingerprints import fingerprint_json
from dns_core.store.probes import read_probes
from dns_core.store.quarantine import write_quarantine
from dns_core.training.batches import view_id
from dns_core.training.views import ViewsConfig
from dns_core.workspace import COLLECTIONS, StageConfig, StageContext


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        backbone: a name in the registry of backbones.
        sampling_fps: frames a second that are described.
        batch_frames: frames a forward pass.
        precision: of the backbone's arithmetic.
        frame: ``whole``, or the ``centre`` square as in the paper.
        luma_weight: of each region's pattern of brightness beside the backbone's vector; 0 is the paper's.
        views: the edited copies that the teacher learns from.
        seed: of the edits.
    """

    backbone: str
    sampling_fps: float = Field(gt=0)
    batch_frames: int = Field(ge=1)
    precision: Precision
    frame: Frame
    luma_weight: float = Field(ge=0)
    views: ViewsConfig
    seed: int


def run(config: Config, context: StageContext) -> None:
    """Describe every readable video, and every edited copy of the training videos."""
    description = description_of(config.model_dump())
    graph = context.workspace.models / BACKBONE_GRAPH
    export_frames(graph, LiveFrames(load_backbone(config.backbone), description))
    quarantined: dict[str, list[Quarantined]] = {}
    for collection in COLLECTIONS:
        quarantined[collection] = _Job(config, context, description, collection).describe()
    lost = {row.video_id for row in quarantined["train"]}
    _Job(config, context, description, "train").describe_views(lost)
    for collection, rows in quarantined.items():
        for row in rows:
            context.progress.say(f"  quarantined {collection} {row.video_id!r}: {row.reason}: {row.detail}")
        write_quarantine(context.workspace.extraction_quarantine(collection), rows)


class _Job:
    """The extraction of one collection."""

    def __init__(
        self, config: Config, context: StageContext, description: Description, collection: str
    ) -> None:
        self._config = config
        self._context = context
        self._description = description
        self._collection = collection
        self._probes, _ = read_probes(context.workspace.probes(collection))

    def describe(self) -> list[Quarantined]:
        """Write the features of the videos; returns those that could not be decoded."""
        writer, settings = self._writer(self._collection, {})
        probes = [probe for probe in self._probes if not writer.done(probe.video_id, source=probe.sha256)]
        tasks = [self._task(probe) for probe in probes]
        quarantined = self._run(settings, tasks, f"features of {self._collection}")
        lost = {row.video_id for row in quarantined}
        writer.finish([probe.video_id for probe in self._probes if probe.video_id not in lost])
        return quarantined

    def describe_views(self, lost: set[str]) -> None:
        """Write the features of edited copies of the videos that are not ``lost``."""
        writer, settings = self._writer(
            "views",
            {"views": fingerprint_json(self._config.views.model_dump()), "seed": str(self._config.seed)},
        )
        names = {
            probe.video_id: [
                view_id(probe.video_id, number) for number in range(len(self._config.views.strengths))
            ]
            for probe in self._probes
            if probe.video_id not in lost
        }
        tasks = [
            self._task(probe, views=names[probe.video_id])
            for probe in self._probes
            if not all(writer.done(name, source=probe.sha256) for name in names.get(probe.video_id, []))
        ]
        for row in self._run(settings, tasks, "features of edited copies"):
            raise VideoError(row.reason, f"{row.video_id}: its edited copies: {row.detail}")
        writer.finish([name for views in names.values() for name in views])

    def _run(self, settings: Json, tasks: Sequence[Task], shown: str) -> list[Quarantined]:
        work = Work("dns_core.stages.shared.describing_videos:FeatureWorker", settings)
        with closing(run_all(self._context.fleet, work, tasks)) as cards:
            found = [card for card in self._context.progress.track(cards, shown, len(tasks)) if card.reason]
        return [card.quarantined() for card in sorted(found, key=lambda card: card.id)]

    def _task(self, probe: VideoProbe, **facts: list[str]) -> Task:
        path = self._context.workspace.videos(self._collection) / probe.video_id
        return Task(probe.video_id, {"path": str(path.absolute()), "sha256": probe.sha256, **facts})

    def _writer(self, name: str, of_views: dict[str, str]) -> tuple[FeatureWriter, Json]:
        """A writer, and the settings by which a worker opens the same."""
        workspace = self._context.workspace
        metadata = {**self._description.metadata, **of_views}
        settings = {
            "out": str(workspace.features(name).absolute()),
            "partial": str(workspace.partial(f"features-{name}").absolute()),
            "metadata": metadata,
            "config": self._config.model_dump(),
            "graph": str((workspace.models / BACKBONE_GRAPH).absolute()),
            "windows": self._collection != "train",  # networks learn from whole pictures
        }
        return open_writer(settings), settings
