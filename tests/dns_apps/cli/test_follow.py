"""dns index sync --follow: a real process beside a real folder."""

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import psutil
import pytest

from dns_apps.cli import folder_changes
from dns_apps.cli.folder_changes import changes, is_remote
from tests.dns_apps.cli.test_sync import film

Answer = dict[str, Any]
Following = Callable[..., tuple["subprocess.Popen[str]", "Queue[Answer]"]]
PATIENCE_S = 90


@pytest.fixture
def archive(videos: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    shutil.copytree(videos, folder)
    return folder


# A test run in the background ignores Ctrl-C, and so would what it starts.
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from dns_apps.cli.main import main
main()
"""


@pytest.fixture
def following(built: Path, archive: Path, models: Path, tmp_path: Path) -> Iterator[Following]:
    """Starts the command; its lines of JSON arrive in a queue."""
    index = tmp_path / "index"
    shutil.copytree(built, index)
    started = []

    def start(*options: str) -> tuple["subprocess.Popen[str]", "Queue[Answer]"]:
        command = [
            sys.executable,
            "-c",
            PROGRAM,
            "index",
            "sync",
            str(index),
        ]
        command += ["--videos", str(archive), "--models", str(models), "--follow", "--json", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        lines: Queue[Answer] = Queue()

        def read() -> None:
            for line in process.stdout or ():
                lines.put(json.loads(line))

        threading.Thread(target=read, daemon=True).start()
        return process, lines

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("options", [(), ("--every", "0.5")], ids=["told", "looked up"])
def test_the_index_follows_the_folder(following: Following, archive: Path, options: tuple[str, ...]) -> None:
    process, lines = following(*options)
    first = lines.get(timeout=PATIENCE_S)
    assert (first["n_kept"], first["new"]) == (4, [])
    film(archive / "new" / "late.mp4", seed=5)
    assert lines.get(timeout=PATIENCE_S)["new"] == ["new/late.mp4"]
    (archive / "a.mp4").rename(archive / "new" / "moved.mp4")
    moved = lines.get(timeout=PATIENCE_S)
    assert (moved["moved"], moved["n_decoded"]) == ([{"from": "a.mp4", "to": "new/moved.mp4"}], 0)
    (archive / "b.mp4").unlink()
    gone = lines.get(timeout=PATIENCE_S)
    assert (gone["gone"], gone["n_videos"]) == (["b.mp4"], 3)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, complaint.splitlines()[-1]) == (0, "dns: stopped; what was finished is kept")
    assert lines.empty()


@pytest.mark.timeout(300)
def test_a_folder_that_is_away_for_a_while_leaves_the_index_alone(
    following: Following, archive: Path
) -> None:
    process, lines = following("--every", "0.5")
    lines.get(timeout=PATIENCE_S)
    archive.rename(archive.with_name("away"))
    assert process.stderr is not None
    while "is not a folder" not in process.stderr.readline():
        assert process.poll() is None
    archive.with_name("away").rename(archive)
    film(archive / "late.mp4", seed=5)
    found = lines.get(timeout=PATIENCE_S)
    assert (found["new"], found["gone"], found["n_kept"]) == (["late.mp4"], [], 4)


def test_a_file_that_is_being_written_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_changes, "SETTLED_S", 0.6)
    rounds = changes(tmp_path)
    next(rounds)

    def write() -> None:
        with (tmp_path / "film.mp4").open("wb") as file:
            for _ in range(10):
                file.write(b"part")
                file.flush()
                time.sleep(0.1)

    writer = threading.Timer(0.3, write)
    writer.start()
    next(rounds)
    assert (tmp_path / "film.mp4").stat().st_size == 40
    rounds.close()
    writer.join()
    assert not [thread for thread in threading.enumerate() if "notify" in type(thread).__name__.lower()]


def test_a_folder_that_never_rests_is_told_of_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_changes, "LONGEST_S", 1.0)
    rounds, stop = changes(tmp_path), threading.Event()
    next(rounds)

    def scribble() -> None:
        while not stop.wait(0.1):
            (tmp_path / "log").write_text("more")

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        began = time.monotonic()
        next(rounds)
        assert time.monotonic() - began < 30
    finally:
        stop.set()
        writer.join()
        rounds.close()


def test_where_the_kernel_refuses_to_watch_the_folder_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def schedule(self, *_: object, **__: object) -> None:
            raise OSError(28, "inotify watch limit reached")

        def is_alive(self) -> bool:
            return False

    monkeypatch.setattr(folder_changes, "Observer", Full)
    monkeypatch.setattr(folder_changes, "POLLED_S", 0.05)
    rounds = changes(tmp_path)
    assert [next(rounds) for _ in range(3)] == [None] * 3


def test_folders_of_other_machines_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mounts(**_: bool) -> list[Any]:
        return [mount("/", "ext4"), mount(str(tmp_path), "nfs4"), mount(str(tmp_path / "usb"), "ext4")]

    def mount(at: str, kind: str) -> Any:
        return type("Mount", (), {"mountpoint": at, "fstype": kind})

    monkeypatch.setattr(psutil, "disk_partitions", mounts)
    assert is_remote(tmp_path / "films")
    assert not is_remote(tmp_path / "usb" / "films")
    assert not is_remote(Path("/"))


@pytest.mark.parametrize("options", [("--follow", "--dry-run"), ("--every", "3")])
def test_options_that_say_nothing_together_are_refused(
    run: Any, built: Path, videos: Path, options: tuple[str, ...]
) -> None:
    refused = run("index", "sync", built, "--videos", videos, *options)
    assert (refused.exit_code, "--follow" in refused.stderr) == (2, True)
