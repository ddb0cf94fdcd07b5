"""The index that is served, with the models that made it; a reload swaps both at once."""

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from dns_apps.service.refusals import not_found, not_ready
from dns_core.errors import CorruptArtefactError, DnsError
from dns_core.index import Index, open_index
from dns_core.index.manifest import read_manifest
from dns_core.index.versions import current_version, version_folder, versions_on_disk
from dns_core.records import VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.pipeline import FeaturePipeline
from dns_core.search import Searcher, models_folder
from dns_core.workspace import Workspace
from dns_ops.holders.publishing import Holders, HolderState
from dns_ops.releases.release import Release, champion, releases_folder
from dns_ops.service_settings import ServiceSettings

_log = logging.getLogger(__name__)

# An index that is not there may appear at any time; looking for it at every request would cost.
_LOOK_AGAIN_S = 2.0
_WARMING_FRAMES = 8


@dataclass(frozen=True)
class LoadedIndex:
    """One version of an index, opened with its models; requests that hold it are not disturbed by a reload.

    Attributes:
        folder: of the index.
        release: version of the release that it is of; 0 for an index of no release.
        index: the version.
        bundle: the models that made it.
        pipeline: describes videos as they were described.
        engines: by fine network that the index can serve.
        loaded_at: when it was opened.
        damage: why this is not the newest version; empty if it is.
    """

    folder: Path
    release: int
    index: Index
    bundle: Bundle
    pipeline: FeaturePipeline
    engines: Mapping[str, Engine]
    loaded_at: datetime
    damage: str = ""

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """Row by id."""
        return {video_id: row for row, video_id in enumerate(self.index.ids)}

    @cached_property
    def sorted_ids(self) -> list[str]:
        """Ids in the order in which they are listed."""
        return sorted(self.index.ids)

    @cached_property
    def refused(self) -> frozenset[str]:
        """Ids of the corpus that are in quarantine."""
        return frozenset(row.video_id for row in self.index.manifest.quarantine)

    def row(self, video_id: str) -> int:
        """Row of a video.

        Raises:
            RefusalError: the index does not hold it.
        """
        if video_id not in self.rows:
            raise not_found("the index holds no video of that id")
        return self.rows[video_id]

    def engine(self, fine: str) -> Engine:
        """The engine of a fine network.

        Raises:
            RefusalError: the index was built without it.
        """
        if fine not in self.engines:
            raise not_found(f"the index was built without {fine}")
        return self.engines[fine]


class LiveIndex:
    """What answers queries now.

    Args:
        root: the workspace.
        settings: name the index and the models, or leave them to the workspace.
        compute: bounds the computations at a time.
        device: torch device of the networks.
        holders: of the index, where other machines search it.
    """

    def __init__(
        self,
        root: Path,
        settings: ServiceSettings,
        compute: threading.Semaphore,
        device: str = "cpu",
        holders: Holders | None = None,
    ) -> None:
        self._root = root
        self._settings = settings
        self._compute = compute
        self._device = device
        self._holders = holders
        self._loading = threading.Lock()
        self._loaded: LoadedIndex | None = None
        self._refused = ""
        self._look_at_s = 0.0

    def current(self) -> LoadedIndex:
        """What is served; if nothing was there so far, it is looked for again.

        Raises:
            RefusalError: there is no index, or it cannot be used (503); the message says why.
        """
        if self._loaded is None:
            with self._loading:
                if self._loaded is None and time.monotonic() >= self._look_at_s:
                    with suppress(DnsError):  # `_load` has noted why
                        self._load()
        if self._loaded is None:
            raise not_ready(self._refused)
        return self._loaded

    def prepare(self) -> None:
        """Open the index that is there; if that fails, `current` says why."""
        with self._loading, suppress(DnsError):  # `_load` has noted why
            self._load()

    @property
    def opening(self) -> bool:
        """Whether nothing is served yet because the index is being opened."""
        return self._loaded is None and self._loading.locked()

    def in_service(self) -> LoadedIndex:
        """What is served, once it is what is in service: a promotion of a moment ago is followed first.

        Raises:
            DnsError: what is in service cannot be used.
            RefusalError: there is no index (503).
        """
        loaded = self.current()
        return loaded if loaded.folder == self.index_folder else self.reload()

    def follow(self, stopped: threading.Event) -> None:
        """Until ``stopped`` is set: a release that was put in service is served some seconds later."""
        tried: Path | None = None
        while not stopped.wait(_LOOK_AGAIN_S):
            wanted = self.index_folder
            if self._loaded is None or wanted in (self._loaded.folder, tried):
                continue
            tried = wanted  # one that cannot be used is not read over and over
            try:
                self.reload()
            except DnsError as error:
                _log.warning("%s is in service and is not served: %s", wanted, error)

    @property
    def waiting(self) -> str:
        """Why what is in service is not what is served; empty if it is."""
        loaded = self._loaded
        if loaded is None or loaded.folder == self.index_folder:
            return ""
        return self._refused or "it is being opened"

    def reload(self) -> LoadedIndex:
        """The newest version is served from now on; what is at work ends with what it began with.

        Raises:
            DnsError: there is none, or it cannot be used; what was served so far still is.
        """
        with self._loading:
            return self._load()

    @property
    def index_folder(self) -> Path:
        """The index that the settings name, or else the champion's, or else the workspace's own."""
        if self._settings.index:
            return self._root / self._settings.index
        release = self._champion()
        return release.index if release else Workspace(self._root).index

    def close(self) -> None:
        """Stop looking after the holders; they go on."""
        if self._holders:
            self._holders.close()

    def holders(self) -> list[HolderState]:
        """Those that search the index; none where the service does."""
        return self._holders.states() if self._holders else []

    def named(self, folder: Path) -> str:
        """A folder as people of the workspace name it."""
        return str(folder.relative_to(self._root)) if folder.is_relative_to(self._root) else str(folder)

    def probe(self) -> None:
        """Frames are described and the index is searched, unless others are at it and so show that it works.

        Raises:
            DnsError: nothing is served.
        """
        loaded = self.current()
        if self._compute.acquire(blocking=False):
            try:
                _warm(loaded)
            finally:
                self._compute.release()

    def _load(self) -> LoadedIndex:
        try:
            loaded = self._best()
        except DnsError as error:
            self._note(error)
            raise
        except Exception as error:
            _log.exception("the index cannot be opened")
            self._note(error)
            raise CorruptArtefactError(f"the index cannot be used: {error!r}") from error
        self._loaded, self._refused = loaded, ""
        if self._holders:
            self._holders.serve()
        return loaded

    def _note(self, error: Exception) -> None:
        self._refused = f"no index can be served: {error}"
        self._look_at_s = time.monotonic() + _LOOK_AGAIN_S

    def _best(self) -> LoadedIndex:
        """The newest version that can be opened and searched."""
        release = None if self._settings.index else self._champion()
        folder = release.index if release else self.index_folder
        try:
            return self._opened(folder, release, open_index(folder))
        except CorruptArtefactError as error:
            if self._loaded:  # better than the version before the damaged one: a reload fails
                raise
            newest = current_version(folder)
            for number in reversed([n for n in versions_on_disk(folder) if n < newest]):
                kept = version_folder(folder, number)
                damage = f"version {newest} is damaged, version {number} is served instead: {error}"
                with suppress(DnsError):  # the error that is raised below says what is wrong
                    loaded = self._opened(folder, release, Index(kept, read_manifest(kept)), damage)
                    _log.warning("%s", damage)
                    return loaded
            raise

    def _opened(self, folder: Path, release: Release | None, index: Index, damage: str = "") -> LoadedIndex:
        models = self._models(index, release)
        searcher = Searcher.of_models(models, device=self._device).over(index)
        fines = index.manifest.params.get("fine_networks", ())
        engines = {fine: searcher.engine(fine) for fine in fines}
        if self._holders:
            engines = self._holders.prepare(engines, models)
        version = release.version if release else 0
        bundle, pipeline = searcher.bundle, searcher.pipeline
        loaded = LoadedIndex(folder, version, index, bundle, pipeline, engines, datetime.now(UTC), damage)
        with self._compute:
            _warm(loaded)
        return loaded

    def _models(self, index: Index, release: Release | None) -> Path:
        if self._settings.models:
            return self._root / self._settings.models
        if release:
            return release.models
        return models_folder(None, index, trained=Workspace(self._root).models)

    def _champion(self) -> Release | None:
        version = champion(self._root)
        return Release(version, releases_folder(self._root) / str(version)) if version else None


def _warm(loaded: LoadedIndex) -> None:
    """Kernels are compiled and files mapped before the first request, not by it."""
    crop_px = loaded.pipeline.sampling.crop_px
    frames = np.zeros((_WARMING_FRAMES, crop_px, crop_px, 3), dtype=np.uint8)
    regions = loaded.pipeline.whitening.apply(loaded.pipeline.extractor.frames_to_regions(frames))
    features = VideoFeatures("", regions, np.arange(_WARMING_FRAMES, dtype=np.float64))
    for engine in loaded.engines.values():
        engine.search(features, top_k=1, budget=Budget(share=1.0 if loaded.index.n_videos < 100 else 0.01))
