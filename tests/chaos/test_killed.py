"""Killed at any step, a writer leaves the version before or the new one, whole, and can start again."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dns_core.index import open_index, verify_index
from tests.chaos.conftest import LONG, copied
from tests.chaos.faults import INDEX

pytestmark = pytest.mark.chaos

EXPECTED = {"build": "abcd", "add": "abcdef", "remove": "acd", "compact": "abcd"}
KILLS = 25 if LONG else 3


def held(index: Path) -> str:
    """Videos of an index that verifies; none if there is no index."""
    if not (index / "CURRENT").exists():
        return ""
    verify_index(index)
    return "".join(open_index(index).ids)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("change", INDEX)
def test_an_index_is_whole_after_each_kill(
    tmp_path: Path, broken: Callable[..., Any], note: Callable[..., None], chance: Random, change: str
) -> None:
    start = tmp_path / "start"
    start.mkdir()
    if change != "build":
        assert broken(start, "none", 0, "build").code == 0
    counted = broken(copied(start, tmp_path / "counted"), "none", 0, change)
    steps = range(1, int(counted.said) + 1)
    for step in chance.sample(steps, min(KILLS, len(steps))):
        root = copied(start, tmp_path / f"killed-{step}")
        assert broken(root, "kill", step, change).code == -signal.SIGKILL
        began_s = time.monotonic()
        old, found = held(start / "index"), held(root / "index")
        lost = found not in (old, EXPECTED[change])
        if found == old:
            again = broken(root, "none", 0, change)
            assert again.code == 0, again.complaint
        assert held(root / "index") == EXPECTED[change]
        left = [path.name for path in (root / "index" / "versions").iterdir() if path.name.startswith(".")]
        assert left == []
        note(f"kill -9: index {change}", lost=lost, recovered_s=time.monotonic() - began_s)


@pytest.mark.skipif(not LONG, reason="takes minutes: make chaos")
@pytest.mark.timeout(600)
def test_what_a_service_accepted_is_answered_after_each_kill(
    tmp_path: Path, serve: Any, excerpt: Path, note: Callable[..., None], chance: Random
) -> None:
    root = tmp_path / "workspace"
    accepted: list[str] = []
    for _ in range(8 if LONG else 1):
        with serve(root) as one, one.client() as client:
            accepted += [client.query_file(excerpt, wait_s=0).id for _ in range(3)]
            time.sleep(chance.uniform(0, 1.0))
            os.kill(one.process.pid, signal.SIGKILL)
            one.process.wait()
        began_s = time.monotonic()
        with serve(root) as one, one.client() as client:
            states = [client.finished_query(query_id).state for query_id in accepted]
            lost = sum(state != "done" for state in states)
            assert "Traceback" not in one.said
            note("kill -9: query service with uploads", lost=lost, recovered_s=time.monotonic() - began_s)
