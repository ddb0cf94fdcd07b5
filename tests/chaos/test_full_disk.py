"""On a full disk a writer fails with one line and loses nothing; with room again it completes."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dns_core.index import open_index, verify_index
from tests.chaos.conftest import LONG, fill
from tests.chaos.test_killed import EXPECTED, held

pytestmark = pytest.mark.chaos


@pytest.mark.timeout(600)
@pytest.mark.parametrize("change", ["build", "add", "compact"] if LONG else ["add", "compact"])
def test_an_index(
    tmpfs: Any, broken: Callable[..., Any], note: Callable[..., None], chance: Random, change: str
) -> None:
    disk = tmpfs(4 << 20)
    if change != "build":
        assert broken(disk, "none", 0, "build").code == 0
    for _ in range(6 if LONG else 1):
        old = held(disk / "index")
        filler = fill(disk, leave=chance.randrange(100_000))
        failed = broken(disk, "none", 0, change)
        assert "No space left on device" in failed.complaint
        assert "/index/" in failed.complaint.rpartition("\n  ")[2]  # it names the file
        lost = held(disk / "index") != old
        filler.unlink()
        began_s = time.monotonic()
        assert broken(disk, "none", 0, change).code == 0
        assert held(disk / "index") == EXPECTED[change]
        note(f"full disk: index {change}", lost=lost, recovered_s=time.monotonic() - began_s)
        shutil.rmtree(disk / "index")
        if change != "build":
            assert broken(disk, "none", 0, "build").code == 0


@pytest.mark.timeout(900)
@pytest.mark.skipif(not LONG, reason="takes minutes: make chaos")
def test_the_commands(
    tmpfs: Any, videos: Path, broken: Callable[..., Any], note: Callable[..., None], chance: Random
) -> None:
    disk = tmpfs(8 << 20)
    build = ("index", "build", "--videos", videos, "--out", "index")
    commands = (build, ("index", "compact", "index"))
    for command in commands:
        for _ in range(3):
            filler = fill(disk, leave=chance.randrange(4000))
            failed = broken(disk, "none", 0, "dns", *command)
            assert failed.code == 2, failed.complaint
            assert "Traceback" not in failed.complaint
            assert "No space left" in failed.complaint
            filler.unlink()
            began_s = time.monotonic()
            assert broken(disk, "none", 0, "dns", *command).code == 0
            verify_index(disk / "index")
            assert open_index(disk / "index").n_videos == 3
            note(f"full disk: dns index {command[1]}", recovered_s=time.monotonic() - began_s)
