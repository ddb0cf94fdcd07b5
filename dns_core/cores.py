"""How many threads this process should use: one setting for every library."""

import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

THREADS = "DNS_THREADS"
"""Variable of the environment that sets how many threads compute."""

# of OpenMP, which torch and ours use, OpenBLAS, MKL and numba
_LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def n_threads() -> int:
    """Threads that compute at once: ``OMP_NUM_THREADS``, or else the usable cores."""
    value = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return int(value) if value.isdecimal() and int(value) else usable_cores()


def limit_threads(count: int = 0) -> None:
    """Give every library that is not loaded yet one number of threads, which wait asleep.

    Libraries count the cores of the machine, not a container's quota: their threads would stand still
    at every layer until the quota is renewed. What the environment says already stays, but for ``count``.

    Args:
        count: of threads; 0 takes ``DNS_THREADS``, or leaves them to the usable cores.
    """
    # threads that spin take the time of those that work as soon as another process has one of the cores
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    asked = os.environ.get(THREADS, "")
    count = count or (int(asked) if asked.isdecimal() else 0)
    if count:
        os.environ.update(dict.fromkeys(_LIBRARIES, str(count)))
    elif usable_cores() < len(os.sched_getaffinity(0)):
        for name in _LIBRARIES:
            os.environ.setdefault(name, str(usable_cores()))


def usable_cores() -> int:
    """Cores that the scheduler gives this process: its affinity, and the quota of its control groups."""
    return max(1, math.ceil(min(len(os.sched_getaffinity(0)), cpu_quota(_CGROUPS, _OWN_CGROUPS))))


def cpu_quota(root: Path, own: Path) -> float:
    """Cores that control groups allow, of version 1 or 2; infinite if there is no limit.

    Args:
        root: where control groups are mounted.
        own: the file that names the groups of this process.
    """
    try:
        rows = [line.split(":", 2) for line in own.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return math.inf
    limits = [math.inf]
    for _, controllers, path in rows:
        if not controllers:
            limits += [_v2(folder) for folder in _and_parents(root, path)]
        elif "cpu" in controllers.split(","):
            limits += [
                _v1(folder) for name in (controllers, "cpu") for folder in _and_parents(root / name, path)
            ]
    return min(limits)


def _and_parents(root: Path, path: str) -> Iterator[Path]:
    """The folder of a group and those above it, each of which limits it.

    In a container the root is often the group itself, under another name.
    """
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for n in range(len(parts) + 1):
        yield root.joinpath(*parts[:n])


def _v2(folder: Path) -> float:
    """The quota in ``cpu.max``: ``max 100000`` or ``50000 100000``."""
    return _share(_words(folder / "cpu.max"))


def _v1(folder: Path) -> float:
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    return _share([word for name in names for word in _words(folder / name)])


def _share(words: Iterable[str]) -> float:
    try:
        quota, period = (int(word) for word in words)
    except ValueError:  # no such file, or no limit
        return math.inf
    return quota / period if quota > 0 and period > 0 else math.inf


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return []
