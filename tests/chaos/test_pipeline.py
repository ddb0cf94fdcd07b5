"""Stages, pushes and promotions are killed, meet a full disk, or each other: trying again ends well."""

import re
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dns_core.index import open_index, verify_index
from dns_ops.data.versioning import record_version
from dns_ops.releases.decisions import promotions
from dns_ops.releases.release import champion, find_release
from dns_ops.settings import Settings
from dns_ops.tracking.store import open_tracking
from tests.chaos.conftest import LONG, copied, fill
from tests.e2e.conftest import pipeline_order
from tests.e2e.test_releases import register

pytestmark = pytest.mark.chaos
only_long = pytest.mark.skipif(not LONG, reason="takes minutes: make chaos")

UNTRACKED = {"DNS_TRACKING_URI": "off"}
STAGES = [(f"{stage}@{item}" if item else stage, outputs) for stage, item, outputs in pipeline_order()]
TIMED = "evaluate"  # what it writes holds seconds, which differ


def without(workspace: Path, root: Path, outputs: list[Path]) -> Path:
    """A copy of a finished workspace in which one stage has not run."""
    copied(workspace, root)
    for output in outputs:
        path = root / output
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return root


def contents(root: Path, outputs: list[Path]) -> dict[Path, bytes]:
    """Content of what a stage writes, as far as it is there."""
    files = (file for output in outputs for file in (root / output, *(root / output).rglob("*")))
    return {file.relative_to(root): file.read_bytes() for file in files if file.is_file()}


@pytest.mark.timeout(1100)
def test_a_killed_stage_leaves_whole_files_and_ends_alike(
    finished: Path, tmp_path: Path, broken: Callable[..., Any], note: Callable[..., None], chance: Random
) -> None:
    quick = [row for row in STAGES if row[0] in ("split_videos", "mine_pairs", "build_index")]
    for name, outputs in STAGES if LONG else chance.sample(quick, 1):
        stage = ("dns", "stage", name)
        root = without(finished, tmp_path / name / "whole", outputs)
        counted = broken(root, "none", 0, *stage, **UNTRACKED)
        assert counted.code == 0, counted.complaint
        expected = contents(root, outputs)
        n_steps = int(re.findall(r"(\d+) steps", counted.complaint)[-1])
        root = without(finished, tmp_path / name / "killed", outputs)
        assert broken(root, "kill", chance.randint(1, n_steps), *stage, **UNTRACKED).code == -signal.SIGKILL
        # a file that was being written lies beside its place under a hidden name; the next run sweeps it
        left = {path: content for path, content in contents(root, outputs).items() if path.name[0] != "."}
        torn = name != TIMED and any(expected.get(path) != content for path, content in left.items())
        began_s = time.monotonic()
        again = broken(root, "none", 0, *stage, **UNTRACKED)
        assert again.code == 0, again.complaint
        found = contents(root, outputs)
        lost = torn or (found.keys() != expected.keys() if name == TIMED else found != expected)
        note("kill -9: a stage", lost=lost, recovered_s=time.monotonic() - began_s)
        shutil.rmtree(tmp_path / name)


@only_long
@pytest.mark.timeout(600)
def test_a_stage_on_a_full_disk_fails_in_one_line_and_ends_alike_with_room(
    finished: Path, tmpfs: Any, broken: Callable[..., Any], note: Callable[..., None], chance: Random
) -> None:
    wanted = ("extract_features", "train_teacher", "train_student@fine_binary", "train_selector@fine_binary")
    disk = tmpfs(256 << 20)
    for name, outputs in (row for row in STAGES if row[0] in wanted):
        root = without(finished, disk / "workspace", outputs)
        before = contents(root, [Path("artifacts")])
        filler = fill(disk, leave=chance.randrange(40_000))
        failed = broken(root, "none", 0, "dns", "stage", name, **UNTRACKED)
        assert failed.code == 2, failed.complaint
        assert "No space left" in failed.complaint
        assert "Traceback" not in failed.complaint
        filler.unlink()
        lost = {path: root / path for path in before if not (root / path).is_file()}
        began_s = time.monotonic()
        again = broken(root, "none", 0, "dns", "stage", name, **UNTRACKED)
        assert again.code == 0, again.complaint
        assert contents(root, outputs) == contents(finished, outputs)
        note("full disk: a stage", lost=len(lost), recovered_s=time.monotonic() - began_s)
        shutil.rmtree(root)


@pytest.fixture
def recorded(released: Path, tmp_path: Path) -> Path:
    """A workspace whose videos are recorded."""
    root = copied(released, tmp_path / "workspace")
    record_version(root)
    return root


def to(remote: Path, root: Path) -> None:
    """Make a folder the remote of a workspace."""
    config = "[core]\n    no_scm = True\n    analytics = False\n    remote = there\n"
    (root / ".dvc" / "config").write_text(f"{config}['remote \"there\"']\n    url = {remote}\n")


def kept(folder: Path) -> set[str]:
    """Names of what DVC keeps in a cache or a remote: the digests of the contents."""
    return {
        str(file.relative_to(folder))
        for file in (folder / "files").rglob("*")
        if file.is_file() and len(file.name) > 20
    }


@only_long
@pytest.mark.timeout(600)
def test_a_push_to_a_full_disk_completes_with_room(
    recorded: Path, tmpfs: Any, broken: Callable[..., Any], note: Callable[..., None], chance: Random
) -> None:
    root, disk = recorded, tmpfs(64 << 20)
    to(disk / "remote", root)
    cached = kept(root / ".dvc" / "cache")
    assert cached
    for _ in range(3):
        filler = fill(disk, leave=chance.randrange(60_000))
        failed = broken(root, "none", 0, "push")
        assert failed.code == 1
        assert "PipelineError" in failed.complaint.rpartition("\n  ")[2]
        filler.unlink()
        began_s = time.monotonic()
        assert broken(root, "none", 0, "push").code == 0
        note(
            "full disk: push",
            lost=len(cached - kept(disk / "remote")),
            recovered_s=time.monotonic() - began_s,
        )
        shutil.rmtree(disk / "remote")


@only_long
@pytest.mark.timeout(600)
def test_two_pushes_at_once(
    recorded: Path, tmp_path: Path, broken: Callable[..., Any], note: Callable[..., None]
) -> None:
    root = recorded
    to(tmp_path / "remote", root)
    for _ in range(3):
        with ThreadPoolExecutor() as pool:
            done = list(pool.map(lambda _: broken(root, "none", 0, "push"), range(2)))
        assert 0 in {one.code for one in done}, done[0].complaint
        for one in done:
            assert one.code == 0 or "PipelineError" in one.complaint, one.complaint
        note("two at once: push", lost=len(kept(root / ".dvc" / "cache") - kept(tmp_path / "remote")))
        shutil.rmtree(tmp_path / "remote")


PROMOTE = ("dns", "models", "promote", "2", "--force", "to try it", "--as", "ann")


@pytest.fixture(scope="module")
def challenged(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a second bundle, that is not in service yet."""
    root = copied(released, tmp_path_factory.mktemp("challenged") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DNS_TRACKING_URI", raising=False)
        assert register(root, open_tracking(root, Settings()), noise=1e-6) == 2
    return root


def serves(root: Path) -> int:
    """The version in service, whose index is whole."""
    version = champion(root)
    index = find_release(root, version).index
    verify_index(index)
    assert open_index(index).n_videos
    return version


def promoted_again(root: Path, broken: Callable[..., Any]) -> float:
    """Seconds until the second bundle is in service, and said to be once."""
    began_s = time.monotonic()
    if serves(root) != 2:
        again = broken(root, "none", 0, *PROMOTE)
        assert again.code == 0, again.complaint
    assert serves(root) == 2
    assert [row["after"] for row in promotions(root)] == [1, 2]
    return time.monotonic() - began_s


@only_long
@pytest.mark.timeout(900)
def test_a_killed_promotion_leaves_one_release_in_service(
    challenged: Path, tmp_path: Path, broken: Callable[..., Any], note: Callable[..., None], chance: Random
) -> None:
    counted = broken(copied(challenged, tmp_path / "whole"), "none", 0, *PROMOTE)
    assert counted.code == 0, counted.complaint
    n_steps = int(re.findall(r"(\d+) steps", counted.complaint)[-1])
    for step in chance.sample(range(1, n_steps + 1), 8):
        root = copied(challenged, tmp_path / f"killed-{step}")
        assert broken(root, "kill", step, *PROMOTE).code == -signal.SIGKILL
        note("kill -9: promotion", lost=serves(root) not in (1, 2), recovered_s=promoted_again(root, broken))


@only_long
@pytest.mark.timeout(600)
def test_a_promotion_on_a_full_disk_changes_nothing(
    challenged: Path, tmpfs: Any, broken: Callable[..., Any], note: Callable[..., None], chance: Random
) -> None:
    disk = tmpfs(256 << 20)
    for _ in range(3):
        root = copied(challenged, disk / "workspace")
        filler = fill(disk, leave=chance.randrange(200_000))
        failed = broken(root, "none", 0, *PROMOTE)
        assert failed.code == 2, failed.complaint
        assert "Traceback" not in failed.complaint
        lost = serves(root) != 1
        filler.unlink()
        note("full disk: promotion", lost=lost, recovered_s=promoted_again(root, broken))
        shutil.rmtree(root)


@only_long
@pytest.mark.timeout(600)
def test_two_promotions_at_once(
    challenged: Path, tmp_path: Path, broken: Callable[..., Any], note: Callable[..., None]
) -> None:
    for number in range(3):
        root = copied(challenged, tmp_path / f"both-{number}")
        with ThreadPoolExecutor() as pool:
            done = list(pool.map(partial(broken, root, "none"), (0, 0), *([word] * 2 for word in PROMOTE)))
        assert 0 in {one.code for one in done}, done[0].complaint
        assert all("Traceback" not in one.complaint for one in done), [one.complaint for one in done]
        note("two at once: promotion", lost=serves(root) != 2)
