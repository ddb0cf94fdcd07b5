"""A task is blamed for deaths of workers, and never for deaths of machines."""

from dns_ops.fleet.verdicts import SETTLED_S, Verdicts

LATER = 100.0


def died(*nodes: str) -> Verdicts:
    verdicts = Verdicts()
    for number, node in enumerate(nodes):
        verdicts.note("v", node, float(number))
    return verdicts


def test_three_deaths_on_two_machines_that_live_are_enough() -> None:
    assert died("a", "b").of("v", {"a", "b"}, LATER) == "again"
    assert died("a", "b", "a").of("v", {"a", "b"}, LATER) == "given up"
    assert died("a", "b", "a").of("w", {"a", "b"}, LATER) == "again"


def test_one_machine_is_not_trusted_where_there_are_two() -> None:
    assert died("a", "a", "a").of("v", {"a", "b"}, LATER) == "again"
    assert died("a", "a", "a").of("v", {"a"}, LATER) == "given up"
    assert died(*"aaaaaa").of("v", {"a", "b"}, LATER) == "given up"


def test_deaths_of_machines_do_not_count() -> None:
    assert died("gone", "gone", "gone", "gone").of("v", {"a", "b"}, LATER) == "again"
    assert died("a", "b", "gone").of("v", {"a", "b"}, LATER) == "again"


def test_no_verdict_before_a_dead_machine_would_be_noticed() -> None:
    assert died("a", "b", "b").of("v", {"a", "b"}, 2.0 + SETTLED_S - 1) == "wait"
    assert died("a", "b", "b").of("v", {"a", "b"}, 2.0 + SETTLED_S) == "given up"
