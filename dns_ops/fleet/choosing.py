"""Which fleet the settings ask for."""

from dataclasses import replace
from pathlib import Path

import psutil

from dns_core.cores import usable_cores
from dns_core.fleet import Fleet, LocalFleet, Place
from dns_ops.fleet.connection import Address, open_cluster
from dns_ops.fleet.pool import PoolFleet
from dns_ops.settings import Settings, make_platform_folder

_WORKER_BYTES = 1536 << 20
"""Memory of a worker with its networks, and of its decoder."""


def open_fleet(settings: Settings, device: str = "cpu", root: Path = Path()) -> Fleet:
    """The fleet that the settings ask for; on a GPU one process, which fills it.

    Args:
        settings: say on what, with how many workers, and what a video may cost.
        device: torch device of the networks.
        root: the workspace, which has the token of a cluster.
    """
    place = Place(
        device=device, decoder_bytes=settings.decoder_memory_bytes, decoder_s=settings.decoder_timeout_s
    )
    if settings.cluster:
        address = Address(settings.cluster, make_platform_folder(root), settings.workers or usual_workers())
        return open_cluster(address, replace(place, device="cpu"))
    n_workers = 1 if device != "cpu" else settings.workers or usual_workers()
    return PoolFleet(n_workers, place) if n_workers > 1 else LocalFleet(place)


def usual_workers() -> int:
    """One for each core that this process may use, as far as free memory carries them."""
    carried: int = psutil.virtual_memory().available // _WORKER_BYTES
    return max(1, min(usable_cores(), carried))
