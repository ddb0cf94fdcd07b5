"""What the service is made of, put together once and shared by all requests."""

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

from dns_apps.service.index_jobs import IndexJobs
from dns_apps.service.live_index import LiveIndex
from dns_apps.service.metrics import Metrics
from dns_apps.service.near_duplicates import NearDuplicateFinder
from dns_apps.service.probes import Probes
from dns_apps.service.query_jobs import QueryJobs
from dns_apps.service.query_runner import QueryRunner
from dns_apps.service.query_store import QueryStore
from dns_apps.service.slots import Slots
from dns_core.decoding.decoders import Decoders
from dns_core.decoding.process import Limits
from dns_core.video.folders import VideoFolders
from dns_core.workspace import Workspace
from dns_ops.holders.publishing import Holders
from dns_ops.service_settings import ServiceSettings
from dns_ops.settings import make_platform_folder, make_private_folder

_VIEWING_DECODERS = 2
_VIEWING_SECONDS = 60.0


@dataclass(frozen=True)
class ServiceContext:
    """See the modules of each.

    Attributes:
        viewing: decodes thumbnails and clips, so that they do not wait for queries.
        viewing_slots: how many thumbnails, clips and comparisons may be asked for at once.
    """

    settings: ServiceSettings
    query_store: QueryStore
    video_folders: VideoFolders
    live_index: LiveIndex
    query_runner: QueryRunner
    query_jobs: QueryJobs
    index_jobs: IndexJobs
    near_duplicates: NearDuplicateFinder
    decoders: Decoders
    viewing: Decoders
    viewing_slots: Slots
    metrics: Metrics
    probes: Probes
    stopped: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        """Open the index in the background, and resume what a former service left undone."""
        threading.Thread(target=self.live_index.prepare, name="open-index").start()
        threading.Thread(target=self.live_index.follow, args=(self.stopped,), name="follow-releases").start()
        self.query_jobs.resume()
        self.index_jobs.resume()

    def close(self) -> None:
        """No process or thread of the service is left, and what it keeps is whole."""
        self.stopped.set()
        self.query_jobs.close()
        self.index_jobs.close()
        self.near_duplicates.close()
        self.decoders.close()
        self.viewing.close()
        self.query_store.close()
        self.live_index.close()


def _limits(settings: ServiceSettings) -> Limits:
    return Limits(
        memory_bytes=settings.decoder_memory_bytes,
        seconds=settings.decode_timeout_s,
        max_pixels=settings.max_pixels,
        max_duration_s=settings.max_duration_s,
    )


def make_context(
    root: Path, settings: ServiceSettings, device: str = "cpu", holders: Holders | None = None
) -> ServiceContext:
    """The service of the workspace at ``root``; what it keeps lies in ``.platform/service``."""
    home = make_private_folder(make_platform_folder(root).resolve() / "service")
    scratch = make_private_folder(home / "scratch")
    limits = _limits(settings)
    looking = replace(limits, seconds=min(_VIEWING_SECONDS, limits.seconds), max_duration_s=0.0)
    compute = threading.Semaphore(settings.n_workers)
    query_store = QueryStore(home / "records.db")
    folders = settings.video_folders() or (Workspace(Path()).videos("database"),)
    video_folders = VideoFolders([root / folder for folder in folders])
    live_index = LiveIndex(root.resolve(), settings, compute, device, holders)
    decoders = Decoders(settings.n_workers, limits, scratch)
    query_runner = QueryRunner(
        live_index, decoders, video_folders, compute, partial=settings.partial == "answer"
    )
    query_jobs = QueryJobs(
        query_store, query_runner, folder=home / "queries", video_folders=video_folders, settings=settings
    )
    return ServiceContext(
        settings=settings,
        query_store=query_store,
        video_folders=video_folders,
        live_index=live_index,
        query_runner=query_runner,
        query_jobs=query_jobs,
        index_jobs=IndexJobs(query_runner, video_folders, query_store),
        near_duplicates=NearDuplicateFinder(compute),
        decoders=decoders,
        viewing=Decoders(_VIEWING_DECODERS, looking, scratch, lazy=True),
        viewing_slots=Slots(settings.max_waiting),
        metrics=Metrics(live_index, query_jobs, decoders),
        probes=Probes(scratch, query_store, query_jobs=query_jobs, decoders=decoders, live_index=live_index),
    )
