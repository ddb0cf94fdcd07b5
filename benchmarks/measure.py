"""Two ways of doing one thing, timed side by side; results that can be kept and compared."""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from dns_core.store.atomic import read_json, write_json

Call = Callable[[], Any]

_PACKAGES = ("torch", "numba", "numpy", "faiss-cpu", "av")
_CPU_FLAGS = ("avx2", "avx512f", "avx512_vpopcntdq", "avx512_bf16", "avx512_vnni", "amx_bf16")
# A ratio of two medians on a machine that does other things too moves by so much without a reason.
_SLOWER = 0.8


@dataclass(frozen=True, slots=True)
class Measured:
    """One part of the system against its slow twin.

    Attributes:
        part: a name that stays, so that runs can be compared.
        task: what was done, with sizes.
        fast_ms: median milliseconds of the way this software takes.
        slow_ms: of the slow twin, for the same amount of work.
        first_ms: of the fast way's first call, which may compile.
        target: the ratio aimed at; 0 if there is none.
        note: what a reader of the ratio must know.
        of_peak: share of what the processor can do at best that the fast way reaches (see `Peaks`); 0 if
            another thing bounds it.
    """

    part: str
    task: str
    fast_ms: float
    slow_ms: float
    first_ms: float
    target: float = 0.0
    note: str = ""
    of_peak: float = 0.0

    @property
    def ratio(self) -> float:
        """How many times faster than the slow twin."""
        return self.slow_ms / self.fast_ms

    @property
    def at_best(self) -> float:
        """The ratio if the fast way reached the peak; 0 if another thing bounds it."""
        return self.ratio / self.of_peak if self.of_peak else 0.0


def side_by_side(fast: Call, slow: Call, *, repeats: int = 5) -> tuple[float, float, float]:
    """Median milliseconds of ``fast`` and ``slow``, and those of the first call of ``fast``.

    The two take turns, so that other load on the machine affects both. First calls, which compile
    and fill caches, are not in the medians.
    """
    first_ms = elapsed_ms(fast)
    slow()
    fast_ms, slow_ms = [], []
    for _ in range(repeats):
        fast_ms.append(elapsed_ms(fast))
        slow_ms.append(elapsed_ms(slow))
    return statistics.median(fast_ms), statistics.median(slow_ms), first_ms


def elapsed_ms(call: Call) -> float:
    """Milliseconds of one call."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def kind_of_machine() -> str:
    """Of machines whose ratios can be compared: "2-cores-avx512"."""
    return f"{n_cores()}-cores-{torch.backends.cpu.get_cpu_capability().lower()}"


def surroundings() -> dict[str, Any]:
    """What a figure depends on beside the code: processor, load, versions, commit."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = set(fields.get("flags", "").split())
    return {
        "processor": fields.get("model name", platform.processor()),
        "features": [flag for flag in _CPU_FLAGS if flag in flags],
        "cores": n_cores(),
        "load_average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in _PACKAGES},
        "commit": _commit(),
    }


def write_results(path: Path, rows: list[Measured], figures: Mapping[str, float]) -> None:
    """Keep a run: ratios by part, other figures by name, and the surroundings."""
    parts = {row.part: {**asdict(row), "ratio": row.ratio, "at_best": row.at_best} for row in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"surroundings": surroundings(), "parts": parts, "figures": dict(figures)})


def what_became_slower(path: Path, rows: list[Measured]) -> list[str]:
    """One line for each part whose ratio fell clearly below that of the results kept at ``path``.

    Ratios are compared, not times: the slow twin knows how fast the machine was at that moment.
    """
    if not path.exists():
        return []
    before = read_json(path)["parts"]
    return [
        f"{row.part}: {row.ratio:.1f}x, was {before[row.part]['ratio']:.1f}x"
        for row in rows
        if row.part in before and row.ratio < _SLOWER * before[row.part]["ratio"]
    ]


def _commit() -> str:
    # A fixed command without arguments from outside.
    git = ["git", "describe", "--always", "--dirty"]
    found = subprocess.run(git, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or "unknown"
