"""The front door of the library: index videos, search an index, compare two videos.

    from dns_core.search import Searcher, index_videos

    index_videos("my/videos", "my/index")
    answer = Searcher.open("my/index").query("clip.mp4")

Importing this module loads no network and no torch; opening a searcher does.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dns_core.errors import DnsError, MissingArtefactError
from dns_core.index import open_index
from dns_core.retrieval.budget import DEFAULT_BUDGET, Budget
from dns_core.retrieval.index_settings import FINE_NETWORKS

if TYPE_CHECKING:
    from dns_core.fleet import Fleet
    from dns_core.index import Index, Manifest
    from dns_core.ports import Progress
    from dns_core.records import QueryResult
    from dns_core.retrieval.bundle import Bundle
    from dns_core.retrieval.comparison import Comparison
    from dns_core.retrieval.engine import Engine
    from dns_core.retrieval.pipeline import FeaturePipeline

TRAINED_MODELS = Path("artifacts/models")
"""Where `dns reproduce` writes models, relative to the workspace."""

DEFAULT_FINE = FINE_NETWORKS[0]


@dataclass(frozen=True)
class Searcher:
    """An index opened with the models that made it, or models alone; made by `open` and `of_models`.

    Attributes:
        bundle: the models.
        pipeline: describes video files as the indexed videos were described.
        index: what is searched; None compares only.
        fine: name of the fine network that is used unless another is asked for.
        videos: the folder that was indexed; the moment that a picture shows is looked up in its files.
    """

    bundle: "Bundle"
    pipeline: "FeaturePipeline"
    index: "Index | None" = None
    fine: str = DEFAULT_FINE
    videos: Path | None = None
    _engines: "dict[str, Engine]" = field(default_factory=dict, repr=False)

    @classmethod
    def open(
        cls,
        index: str | Path,
        models: str | Path | None = None,
        *,
        fine: str = DEFAULT_FINE,
        device: str = "cpu",
        videos: str | Path | None = None,
    ) -> "Searcher":
        """A searcher over the newest version of an index.

        Args:
            index: folder of the index.
            models: folder of the models; those that made the index if None: trained here, or shipped.
            fine: the fine network that re-ranks.
            device: torch device of the networks.
            videos: the folder that was indexed; the moment that a picture shows is then read from its files.

        Raises:
            MissingArtefactError: there is no index, or a model is not there.
            MismatchError: other models made the index.
            CorruptArtefactError: a file cannot be read.
        """
        opened = open_index(Path(index))  # before torch is loaded: a wrong path is told at once
        searcher = cls.of_models(models_folder(models, opened), fine=fine, device=device).over(opened)
        if videos is not None:
            searcher = replace(searcher, videos=Path(videos))
        searcher.engine()  # other models are refused now, not by the first query
        return searcher

    @classmethod
    def of_models(
        cls, models: str | Path | None = None, *, fine: str = DEFAULT_FINE, device: str = "cpu"
    ) -> "Searcher":
        """A searcher without an index, for `compare`.

        Args:
            models: folder of the models; trained here, or shipped, if None.
            fine: the fine network that compares.
            device: torch device of the networks.

        Raises:
            MissingArtefactError: a model is not there.
        """
        from dns_core.retrieval.bundle import Bundle
        from dns_core.retrieval.pipeline import open_features

        bundle = Bundle.load(models_folder(models), device=device)
        return cls(bundle, open_features(bundle, device=device), fine=fine)

    def over(self, index: "Index") -> "Searcher":
        """A searcher with the same models over an opened index."""
        return replace(self, index=index, _engines={})

    def engine(self, fine: str | None = None) -> "Engine":
        """Engine of a fine network; made once.

        Args:
            fine: name of the network; the searcher's own if None.

        Raises:
            MissingArtefactError: the searcher was opened without an index.
            MismatchError: other models made the index.
        """
        from dns_core.retrieval.engine import Engine

        name = fine or self.fine
        if self.index is None:
            raise MissingArtefactError("expected an index to search, found none: use Searcher.open(index)")
        if name not in self._engines:
            self._engines[name] = Engine(self.index, self.bundle, fine=name)
        return self._engines[name]

    def query(
        self, video: str | Path, *, top_k: int = 10, budget: "Budget | str" = DEFAULT_BUDGET
    ) -> "QueryResult":
        """The ranked matches of a video file, with the seconds that match.

        Args:
            video: the file.
            top_k: answers wanted; 0 ranks the whole index and localises nothing.
            budget: share of the index that is re-ranked (``"0.3"``) or time for it (``"50ms"``).

        Raises:
            VideoError: the file is not a video that can be decoded.
            ParamsError: the budget is neither a share nor a time.
        """
        from dns_core.retrieval.pipeline import query_video

        wanted = Budget.parse(budget) if isinstance(budget, str) else budget
        return query_video(
            self.engine(), self.pipeline, Path(video), top_k=top_k, budget=wanted, videos=self.videos
        )

    def compare(self, a: str | Path, b: str | Path) -> "Comparison":
        """Similarity of two video files, and the segments that match.

        Raises:
            VideoError: a file is not a video that can be decoded.
        """
        from dns_core.retrieval.comparison import compare

        first, second = (self.pipeline.features(Path(path), str(path)) for path in (a, b))
        return compare(first, second, self.bundle, self.fine)


def index_videos(  # noqa: PLR0913
    videos: str | Path,
    index: str | Path,
    models: str | Path | None = None,
    *,
    progress: "Progress | None" = None,
    merge_from: float | None = None,
    fleet: "Fleet | None" = None,
) -> "Manifest":
    """Index every readable video of a folder; the others are listed in the index's quarantine.

    Args:
        videos: folder of video files; ids are paths relative to it.
        index: folder of the index; one that is there is superseded.
        models: folder of the models; trained here, or shipped, if None.
        progress: shows how far it is.
        merge_from: see `dns_core.retrieval.index_settings.IndexSettings`; as the models say if None.
        fleet: describes the videos, for example all cores (`dns_ops.fleet`); this process if None.

    Raises:
        InputError: ``videos`` is not a folder, or holds no readable video.
    """
    from dns_core.retrieval import pipeline
    from dns_core.retrieval.bundle import Bundle

    bundle = Bundle.load(models_folder(models))
    return pipeline.index_videos(
        Path(videos), Path(index), bundle, progress, merge_from=merge_from, fleet=fleet
    )


def models_folder(
    models: str | Path | None = None, index: "Index | None" = None, *, trained: Path = TRAINED_MODELS
) -> Path:
    """Folder of the models to use: the named one; else those that made ``index``, trained here, or shipped.

    Args:
        models: what the user named.
        index: an opened index that the models have to fit.
        trained: where models trained here are.
    """
    from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle

    if models is not None:
        return Path(models)
    folders = [folder for folder in (trained, SHIPPED_MODELS) if folder.is_dir()]
    if index is None:
        return folders[0]
    for folder in folders:
        try:
            index.manifest.check_models(Bundle.load(folder).index_models(FINE_NETWORKS[:1]))
        except DnsError:
            continue  # other models; if none fits, opening the first says so
        return folder
    return folders[0]
