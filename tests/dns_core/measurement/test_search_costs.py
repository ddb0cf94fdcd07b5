"""What is measured of a query's parts foretells what queries cost in indices of other sizes."""

import time
from pathlib import Path

import pytest

from benchmarks.calculator import comparison
from dns_core.measurement.timing import time_in_turns


@pytest.mark.slow
def test_larger_indices_cost_what_was_foretold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a factor of two, as other tests run beside; the benchmark says how near alone."""
    monkeypatch.setattr(time, "perf_counter", time.process_time)
    for n_videos, share, measured, estimated in comparison(
        {2_000: (0.0, 0.1), 10_000: (0.0, 0.05)}, tmp_path
    ):
        factor = 1.05 if share < 0 else 2.0
        assert 1 / factor < estimated / measured < factor, (n_videos, share, measured, estimated)


def test_calls_take_turns_and_have_a_range() -> None:
    called: list[str] = []
    timings = time_in_turns(
        {name: lambda name=name: called.append(name) for name in "ab"}, 3, parts=2  # type: ignore[misc]
    )  # fmt: skip
    assert called == list("abababab")
    for timing in timings.values():
        assert 0 < timing.least_s <= timing.median_s <= timing.most_s
