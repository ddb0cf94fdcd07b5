"""What `make bench` claims: ratios, medians, and what became slower since the kept results."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks import measure
from benchmarks.measure import Measured, side_by_side, what_became_slower, write_results
from dns_core.store.atomic import read_json


def measured(part: str, fast_ms: float, slow_ms: float) -> Measured:
    return Measured(part, "a task", fast_ms, slow_ms, first_ms=1.0)


def test_a_part_is_slower_when_its_ratio_fell_however_fast_the_machine_is(tmp_path: Path) -> None:
    kept = tmp_path / "results" / "kept.json"
    write_results(kept, [measured("a", 10, 100), measured("b", 10, 100), measured("gone", 1, 1)], {})
    # Twice the time on a machine half as fast is the same; half the ratio is not; what is new is no matter.
    now = [measured("a", 20, 200), measured("b", 20, 100), measured("new", 9, 9)]
    assert what_became_slower(kept, now) == ["b: 5.0x, was 10.0x"]
    assert what_became_slower(tmp_path / "none.json", now) == []


def test_results_say_where_they_come_from(tmp_path: Path) -> None:
    write_results(tmp_path / "kept.json", [measured("a", 10, 100)], {"bytes": 3.0})
    kept = read_json(tmp_path / "kept.json")
    assert kept["parts"]["a"]["ratio"] == 10
    assert kept["figures"] == {"bytes": 3.0}
    assert {"processor", "cores", "load_average", "python", "versions", "commit"} <= set(kept["surroundings"])


def test_machines_are_compared_with_their_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "n_cores", lambda: 8)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert measure.kind_of_machine() == "8-cores-avx512"


def test_the_two_ways_take_turns_and_first_calls_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    # The first of the fast way compiles; then fast and slow in turns.
    clock = iter([900.0, 1.0, 10.0, 3.0, 30.0, 2.0, 20.0])

    def elapsed_ms(call: Callable[[], object]) -> float:
        call()
        return next(clock)

    monkeypatch.setattr(measure, "elapsed_ms", elapsed_ms)
    medians = side_by_side(lambda: calls.append("fast"), lambda: calls.append("slow"), repeats=3)
    assert calls == ["fast", "slow"] * 4
    assert medians == (2.0, 20.0, 900.0)
