"""Every Progress yields what it is given, in order, and takes any text."""

import io
from collections.abc import Callable, Iterator

import pytest
from prefect import flow
from prefect.testing.utilities import prefect_test_harness
from rich.console import Console

from dns_apps.cli.progress import BarProgress, line_progress
from dns_core.ports import Progress, SilentProgress
from flows.progress import flow_progress

Make = Callable[[], Progress]
MAKERS: tuple[Make, ...] = (
    SilentProgress,
    lambda: BarProgress(Console(file=io.StringIO())),
    lambda: line_progress(io.StringIO()),
)
NAMES = ("silent", "bars", "lines")


def check(progress: Progress) -> None:
    assert list(progress.track([3, 1, 2], "a list")) == [3, 1, 2]
    assert list(progress.track(iter("ab"), "of unknown length")) == ["a", "b"]
    assert list(progress.track(iter("ab"), "of stated length", total=2)) == ["a", "b"]
    assert list(progress.track([], "nothing")) == []
    nested = [list(progress.track(range(n), "inner")) for n in progress.track(range(3), "outer")]
    assert nested == [[], [0], [0, 1]]
    progress.say("[bold]text[/bold] with\nlines and \x1b[2J")


@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
def test_items_pass_through_unchanged(make: Make) -> None:
    check(make())


@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
def test_items_are_taken_one_at_a_time(make: Make) -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for number in range(3):
            taken.append(number)
            yield number

    for number in make().track(source(), "slow source"):
        assert taken == list(range(number + 1))


@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
def test_an_error_of_the_source_is_passed_on_and_progress_stays_usable(make: Make) -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("the source broke")

    progress = make()
    with pytest.raises(ValueError, match="the source broke"):
        list(progress.track(source(), "breaks"))
    check(progress)


def test_a_flow_reports_progress_in_the_log_of_its_run() -> None:
    @flow
    def checked() -> None:
        check(flow_progress())

    with prefect_test_harness():
        checked()
