"""A gate says what it expected and found, and fails when it should."""

from dataclasses import replace

from dns_core.evaluation.gates import GateLimits, ReleaseFigures, judge_release

LIMITS = GateLimits(budget=0.3, map_tolerance=0.01, p95_query_s=2, bytes_per_video=1000)
CHAMPION = ReleaseFigures(
    map={"DSVR": 0.8, "ISVR": 0.6}, p95_query_s=1.0, bytes_per_video=900.0, coverage=1.0
)


def failed(challenger: ReleaseFigures, champion: ReleaseFigures | None = CHAMPION) -> list[str]:
    return [gate.name for gate in judge_release(challenger, champion, LIMITS) if not gate.passed]


def test_as_good_as_the_champion_within_tolerance_passes() -> None:
    assert failed(CHAMPION) == []
    assert failed(replace(CHAMPION, map={"DSVR": 0.791, "ISVR": 0.9})) == []


def test_each_gate_fails_on_its_own() -> None:
    assert failed(replace(CHAMPION, map={"DSVR": 0.78, "ISVR": 0.9})) == ["mAP DSVR"]
    assert failed(replace(CHAMPION, map={"DSVR": 0.8})) == ["mAP ISVR"]
    assert failed(replace(CHAMPION, coverage=0.9)) == ["coverage"]
    assert failed(replace(CHAMPION, p95_query_s=2.1)) == ["p95 query s"]
    assert failed(replace(CHAMPION, bytes_per_video=1001.0)) == ["bytes per video"]


def test_without_a_champion_only_time_and_size_are_asked() -> None:
    poor = replace(CHAMPION, map={"DSVR": 0.0}, coverage=0.1)
    assert failed(poor, None) == []
    assert failed(replace(poor, p95_query_s=9.0), None) == ["p95 query s"]


def test_a_gate_says_what_it_wanted_and_what_it_got() -> None:
    gate = judge_release(replace(CHAMPION, map={"DSVR": 0.5}), CHAMPION, LIMITS)[0]
    assert (gate.name, gate.passed, gate.expected, gate.found) == ("mAP DSVR", False, "at least 0.79", "0.5")
