"""Two of everything at once: one waits or is refused in one line, and what they leave is whole."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dns_core.index import open_index, verify_index
from tests.chaos.conftest import LONG, copied

pytestmark = pytest.mark.chaos

PAIRS = [("add", "add"), ("add", "remove"), ("compact", "add"), ("compact", "remove"), ("build", "build")]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("first", "second"), PAIRS if LONG else PAIRS[:2])
def test_two_changes_of_an_index(
    tmp_path: Path, broken: Callable[..., Any], note: Callable[..., None], first: str, second: str
) -> None:
    start = tmp_path / "start"
    start.mkdir()
    assert broken(start, "none", 0, "build").code == 0
    for number in range(6 if LONG else 1):
        root = copied(start, tmp_path / f"both-{number}")
        with ThreadPoolExecutor() as pool:
            done = list(pool.map(partial(broken, root, "none", 0), (first, second)))
        codes = sorted(one.code for one in done)
        assert codes in ([0, 0], [0, 1])
        for one in done:
            last = one.complaint.strip().rpartition("\n")[2]
            foreseen = "by another process" in last or "already in the index" in last
            assert one.code == 0 or foreseen, one.complaint
        verify_index(root / "index")
        assert open_index(root / "index").n_videos >= 3
        note(f"two at once: index {first} and {second}")
