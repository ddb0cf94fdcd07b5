"""What the service is made of, put together once and shared by all requests."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from dns_apps.service.alike import Alike
from dns_apps.service.decoding import Decoders, Limits
from dns_apps.service.desk import Desk
from dns_apps.service.index_work import IndexWork
from dns_apps.service.library import Library
from dns_apps.service.metrics import Metrics
from dns_apps.service.probes import Probes
from dns_apps.service.records import Records
from dns_apps.service.searching import Searcher
from dns_apps.service.served import Served
from dns_apps.service.slots import Slots
from dns_core.stages.context import Workspace
from dns_ops.service_settings import ServiceSettings
from dns_ops.settings import make_platform_folder, make_private_folder

_VIEWING_DECODERS = 2
_VIEWING_SECONDS = 60.0


@dataclass(frozen=True)
class Parts:
    """See the modules of each.

    Attributes:
        viewing: decodes thumbnails and clips, so that they do not wait for queries.
        viewing_slots: how many thumbnails, clips and comparisons may be asked for at once.
    """

    settings: ServiceSettings
    records: Records
    library: Library
    served: Served
    searcher: Searcher
    desk: Desk
    index_work: IndexWork
    alike: Alike
    decoders: Decoders
    viewing: Decoders
    viewing_slots: Slots
    metrics: Metrics
    probes: Probes
    stopped: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        """The index is being opened, and what a former service left undone goes on."""
        threading.Thread(target=self.served.prepare, name="open-index").start()
        threading.Thread(target=self.served.follow, args=(self.stopped,), name="follow-releases").start()
        self.desk.resume()
        self.index_work.resume()

    def close(self) -> None:
        """No process or thread of the service is left, and what it keeps is whole."""
        self.stopped.set()
        self.desk.close()
        self.index_work.close()
        self.alike.close()
        self.decoders.close()
        self.viewing.close()
        self.records.close()


def make_parts(root: Path, settings: ServiceSettings, device: str = "cpu") -> Parts:
    """The service of the workspace at ``root``; what it keeps lies in ``.platform/service``."""
    home = make_private_folder(make_platform_folder(root).resolve() / "service")
    scratch = home / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    limits = Limits(
        memory_bytes=settings.decoder_memory_bytes,
        seconds=settings.decode_timeout_s,
        max_pixels=settings.max_pixels,
        max_duration_s=settings.max_duration_s,
    )
    looking = Limits(limits.memory_bytes, min(_VIEWING_SECONDS, limits.seconds), limits.max_pixels, 0.0)
    compute = threading.Semaphore(settings.n_workers)
    records = Records(home / "records.db")
    folders = settings.video_folders() or (Workspace(Path()).videos("database"),)
    library = Library([root / folder for folder in folders])
    served = Served(root.resolve(), settings, compute, device)
    decoders = Decoders(settings.n_workers, limits, scratch)
    searcher = Searcher(served, decoders, compute)
    desk = Desk(records, folder=home / "queries", library=library, searcher=searcher, settings=settings)
    return Parts(
        settings=settings,
        records=records,
        library=library,
        served=served,
        searcher=searcher,
        desk=desk,
        index_work=IndexWork(searcher, library, records),
        alike=Alike(compute),
        decoders=decoders,
        viewing=Decoders(_VIEWING_DECODERS, looking, scratch),
        viewing_slots=Slots(settings.max_waiting),
        metrics=Metrics(served, desk, decoders),
        probes=Probes(scratch, records=records, desk=desk, decoders=decoders, served=served),
    )
