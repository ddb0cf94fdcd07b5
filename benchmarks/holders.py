"""An index on holders beside one engine: ``python -m benchmarks.holders [--videos N] [--groups N]``.

A made-up index with the shipped models, and two machines, both of which are this one. What asking holders
costs, and how long it takes until all are ready again after one of them, and then a machine, was killed.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.ray_machines import RayMachines, ray_machines
from benchmarks.searches import FINE, synthetic_index
from benchmarks.vectors import like_real_ones
from dns_core.index import compact_index, open_index
from dns_core.records import VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.engine import Engine
from dns_ops.holders.choosing import open_holders
from dns_ops.holders.publishing import Holders
from dns_ops.service_settings import ServiceSettings
from dns_ops.settings import Settings

_DIMS, _FRAMES, _QUERIES, _SHARES = 512, 8, 100, (0.0, 0.005)


def _query(number: int) -> VideoFeatures:
    regions = np.random.default_rng(number).standard_normal((20, 9, 512), dtype=np.float32)
    regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
    return VideoFeatures(f"query {number}", regions, np.arange(20) / 2)


def _times_ms(engine: Engine, share: float) -> list[float]:
    found = []
    for number in range(_QUERIES):
        query, began_s = _query(number), time.perf_counter()
        engine.search(query, budget=Budget(share=share))
        found.append(1000 * (time.perf_counter() - began_s))
    return sorted(found)


def _costs(here: Engine, there: Engine) -> dict[str, float]:
    """Median and 95th percentile in milliseconds, and how much more the second takes."""
    figures: dict[str, float] = {}
    for share in _SHARES:
        for query in map(_query, range(_QUERIES)):
            answers = [one.search(query, budget=Budget(share=share)).results for one in (here, there)]
            if answers[0] != answers[1]:
                raise AssertionError(f"{query.video_id}: the answers differ")
        times = {"one engine": _times_ms(here, share), "holders": _times_ms(there, share)}
        for name, row in times.items():
            figures[f"{share:.1%} re-ranked, {name}, median ms"] = statistics.median(row)
            figures[f"{share:.1%} re-ranked, {name}, 95 % ms"] = row[int(0.95 * len(row))]
    return figures


def _seconds_until(condition: Callable[[], bool]) -> float:
    began_s = time.perf_counter()
    while not condition():
        time.sleep(0.05)
    return time.perf_counter() - began_s


def _faults(holders: Holders, machines: RayMachines, n_holders: int) -> dict[str, float]:
    def ready() -> bool:
        states = holders.states()
        return len(states) == n_holders and all(state.state == "ready" for state in states)

    figures = {"all ready after s": _seconds_until(ready)}
    os.kill(holders.states()[0].process, signal.SIGKILL)
    _seconds_until(lambda: not ready())
    figures["a holder killed, whole after s"] = _seconds_until(ready)
    machines.kill(machines.running[-1])
    _seconds_until(lambda: not ready())
    machines.join()
    figures["a machine killed and another joined, whole after s"] = _seconds_until(ready)
    return figures


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=20_000)
    parser.add_argument("--groups", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, bundle = Path(name), Bundle.load(SHIPPED_MODELS)
        vectors, _ = like_real_ones(np.random.default_rng(0), arguments.videos, _DIMS, 1)
        synthetic_index(folder, bundle, vectors, _FRAMES)
        compact_index(folder / "index", arguments.videos // (4 * arguments.groups))
        here = Engine(open_index(folder / "index"), bundle, fine=FINE)
        with ray_machines(2, folder / ".platform") as machines:
            serve = ServiceSettings(holders=arguments.groups)
            holders = open_holders(Settings(cluster=machines.address.text, serve=serve), folder)
            if holders is None:
                raise AssertionError("holders are asked for")
            there = holders.prepare({FINE: here}, SHIPPED_MODELS)[FINE]
            holders.serve()
            figures = _faults(holders, machines, 2 * arguments.groups) | _costs(here, there)
            holders.close()
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
