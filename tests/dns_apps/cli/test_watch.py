"""dns watch: a stream searched while it runs."""

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dns_apps.cli.watch import seconds
from dns_core.errors import InputError
from dns_core.video import read_clip, write_video

Run = Any


@pytest.mark.parametrize(("text", "expected"), [("8s", 8), ("2.5", 2.5), ("10m", 600), ("1h", 3600)])
def test_times_say_their_unit(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "-3s", "0s", "inf", "ten"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected seconds such as 8s"):
        seconds(text)


def test_an_indexed_video_is_an_event_that_begins_and_ends(
    run: Run, built: Path, videos: Path, models: Path
) -> None:
    options = ["--index", built, "--models", models, "--min-score", "0.05", "--budget", "1"]
    done = run("watch", videos / "a.mp4", *options, "--window", "2s", "--hop", "1s", "--json")
    assert done.exit_code == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    opened = next(event for event in events if event["video_id"] == "a.mp4")
    closed = next(event for event in events if event["number"] == opened["number"] and event != opened)
    assert (opened["state"], closed["state"]) == ("open", "closed")
    assert abs(closed["start_s"] - closed["target_start_s"]) < 1
    assert opened["lag_s"] is not None
    assert "frames searched, 0 dropped" in done.stderr


def test_ctrl_c_closes_the_events_that_are_open(
    run: Run, built: Path, videos: Path, models: Path, tmp_path: Path
) -> None:
    pipe, stream = tmp_path / "pipe", tmp_path / "a.ts"
    write_video(stream, read_clip(videos / "a.mp4").frames, 8.0)
    os.mkfifo(pipe)

    def interrupted() -> None:
        with pipe.open("wb") as out:
            out.write(stream.read_bytes())
            out.flush()
            time.sleep(2.0)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.5)

    writer = threading.Thread(target=interrupted)
    writer.start()
    options = ["--index", built, "--models", models, "--min-score", "0.05", "--budget", "1"]
    done = run("watch", pipe, *options, "--window", "2s", "--hop", "1s", "--json")
    writer.join()
    assert done.exit_code == 0, done.stderr
    states = [json.loads(line)["state"] for line in done.stdout.splitlines()]
    assert states.count("open") == states.count("closed") > 0
    assert "frames searched" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.ts",), "cannot be found"),
        (("ftp://127.0.0.1/x",), "expected a file, - or an address of"),
        (("a.ts", "--window", "soon"), "expected seconds such as 8s"),
        (("a.ts", "--hop", "20s"), "a hop must be"),
        (("a.ts", "--webhook", "mailto:x"), "expected a webhook of http"),
    ],
)
def test_what_cannot_be_watched_is_one_line(
    run: Run, built: Path, models: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run("watch", *arguments, "--index", built, "--models", models)
    assert done.exit_code == 2, done.stdout
    assert said in done.stderr
    assert "Traceback" not in done.stderr
