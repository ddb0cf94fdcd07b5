"""Which fleet the settings ask for."""

import psutil

from dns_core.cores import usable_cores
from dns_core.fleet import Fleet, LocalFleet, Place
from dns_ops.fleet.pool import PoolFleet
from dns_ops.settings import Settings

_WORKER_BYTES = 1536 << 20
"""Memory of a worker with its networks, and of its decoder."""


def open_fleet(settings: Settings, device: str = "cpu") -> Fleet:
    """The fleet for this machine's work; on a GPU one process, which fills it.

    Args:
        settings: say how many workers, and what a video may cost.
        device: torch device of the networks.
    """
    place = Place(
        device=device, decoder_bytes=settings.decoder_memory_bytes, decoder_s=settings.decoder_timeout_s
    )
    n_workers = 1 if device != "cpu" else settings.workers or usual_workers()
    return PoolFleet(n_workers, place) if n_workers > 1 else LocalFleet(place)


def usual_workers() -> int:
    """One for each core that this process may use, as far as free memory carries them."""
    carried: int = psutil.virtual_memory().available // _WORKER_BYTES
    return max(1, min(usable_cores(), carried))
