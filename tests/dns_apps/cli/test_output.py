"""Tables and progress."""

import doctest
import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dns_apps.cli import output
from dns_apps.cli.output import print_json, print_table
from dns_apps.cli.progress import BarProgress, command_progress, line_progress
from dns_apps.text import printable, segment_texts
from dns_core.ports import Progress
from dns_core.records import Segment

ROOT = Path(__file__).resolve().parents[3]
Run = Any


def test_examples_in_docstrings_run() -> None:
    assert doctest.testmod(output).failed == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ä 影片.mp4", "ä 影片.mp4"),
        ("a\nb\x1b[2J", "a\\nb\\x1b[2J"),
        ("\udcff", "\\udcff"),
        ("[red]x[/red]", "[red]x[/red]"),
        ("right\u202eleft", "right\\u202eleft"),
    ],
)
def test_names_stay_on_their_line_and_command_nothing(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printable(text) == shown
    print_table(text, ["name"], [(text,)])
    assert capsys.readouterr().out.count(shown) == 2


def test_a_long_name_is_folded_and_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    name = "".join(chr(ord("a") + i % 26) for i in range(300))
    print_table("", ["name"], [(name,)])
    shown = re.sub(r"[^a-z]", "", capsys.readouterr().out.partition("┡")[2])
    assert shown == name


def test_json_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        print_json({"score": float("nan")})


def test_segments_read_as_stretches() -> None:
    assert segment_texts([Segment(0, 4.04, 70, 3674, 1.0)]) == ["0:00.0-0:04.0 = 1:10.0-1:01:14.0"]


def bars(stream: io.StringIO) -> BarProgress:
    return BarProgress(Console(file=stream, force_terminal=True, width=100))


@pytest.mark.parametrize("make", [bars, line_progress])
def test_progress_passes_items_on_and_can_be_nested(make: Any) -> None:
    stream = io.StringIO()
    progress: Progress = make(stream)
    seen = [
        (outer, inner)
        for outer in progress.track([1, 2], "outer")
        for inner in progress.track(iter("ab"), "inner", total=2)
    ]
    progress.say("a [red]line")
    assert seen == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]
    assert "outer" in stream.getvalue()
    assert "a [red]line" in stream.getvalue()


@pytest.mark.parametrize("make", [bars, line_progress])
def test_progress_lets_errors_through_and_can_be_used_again(make: Any) -> None:
    progress: Progress = make(io.StringIO())
    with pytest.raises(ZeroDivisionError):
        list(progress.track((1 // item for item in [1, 0]), "failing"))
    assert list(progress.track([1], "again")) == [1]


def test_lines_come_while_a_loop_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 6))
    monkeypatch.setattr("dns_ops.line_progress.time.monotonic", lambda: float(next(clock)))
    stream = io.StringIO()
    assert len(list(line_progress(stream).track(range(4), "slow"))) == 4
    assert stream.getvalue().splitlines() == ["slow: 2 of 4", "slow: 4 of 4", "slow: 4 in 30.0 s"]


def test_progress_stays_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    progress = command_progress()
    assert list(progress.track([1], "loop")) == [1]
    progress.say("done")
    out, err = capsys.readouterr()
    assert out == ""
    assert "done" in err
