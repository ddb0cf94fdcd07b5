"""How shards are spread over groups, and the files that holders pull."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError
from dns_core.index import Index
from dns_core.index.manifest import FileEntry
from dns_core.retrieval.shards import LIMITS
from dns_ops.holders.choosing import open_holders
from dns_ops.holders.plans import Computing, Plan, Source, _cut, plans_of
from dns_ops.holders.pulling import LocalFiles
from dns_ops.service_settings import ServiceSettings
from dns_ops.settings import Settings

COMPUTING = Computing(("fine_binary",), LIMITS, "code")


def plans(index: Index, models: Path, n_groups: int) -> list[Plan]:
    return plans_of(index, Source(index.folder, models), n_groups, COMPUTING)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40), st.integers(1, 12))
def test_groups_are_consecutive_and_no_larger_than_a_share_and_a_shard(sizes: Sequence[int], n: int) -> None:
    groups = _cut(sizes, n)
    assert [place for group in groups for place in group] == list(range(len(sizes)))
    assert len(groups) <= n
    assert all(groups)
    assert max(sum(sizes[place] for place in group) for group in groups) <= sum(sizes) / n + 2 * max(sizes)


def test_the_key_says_all_that_decides_an_answer(index: Index, models: Path, tmp_path: Path) -> None:
    first = plans(index, models, 3)
    assert {plan.key for plan in first} == {plans(index, models, 3)[0].key}
    assert sum(plan.n_videos for plan in first) == index.n_videos
    assert plans(index, models, 2)[0].key != first[0].key
    other = tmp_path / "other"
    other.mkdir()
    for path in models.iterdir():
        (other / path.name).write_bytes(path.read_bytes() + b" " * (path.name == "calibration.json"))
    assert plans(index, other, 3)[0].key != first[0].key


def test_what_is_there_and_whole_is_not_copied_again(index: Index, models: Path, tmp_path: Path) -> None:
    files, plan = LocalFiles(tmp_path / "local"), plans(index, models, 1)[0]
    folder, _ = files.pull(plan)
    sizes = {path: path.stat() for path in (tmp_path / "local" / "contents").iterdir()}
    assert Index(folder, plan.manifest).ids == index.ids
    damaged = max(sizes, key=lambda path: sizes[path].st_size)
    damaged.write_bytes(bytes(sizes[damaged].st_size))
    files.pull(plan)
    again = {path: path.stat() for path in sizes}
    assert {path for path in sizes if again[path].st_mtime_ns != sizes[path].st_mtime_ns} == {damaged}
    FileEntry(n_bytes=sizes[damaged].st_size, sha256=damaged.name).verify(damaged)
    files.forget(plan.key)
    assert list((tmp_path / "local" / "contents").iterdir()) == []


def test_what_cannot_be_had_is_said(index: Index, models: Path, tmp_path: Path) -> None:
    plan = plans(index, models, 1)[0]
    file = index.folder / plan.shards[0] / "coarse.npy"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"?")
    with pytest.raises(CorruptArtefactError, match=r"coarse.npy does not hold what was written"):
        LocalFiles(tmp_path / "local").pull(plan)
    file.unlink()
    with pytest.raises(MissingArtefactError, match="expected a folder that all machines share"):
        LocalFiles(tmp_path / "local").pull(plan)


def test_holders_without_a_cluster_are_refused(tmp_path: Path) -> None:
    assert open_holders(Settings(), tmp_path) is None
    with pytest.raises(InputError, match="DNS_SERVE_HOLDERS=2: expected DNS_CLUSTER to name their cluster"):
        open_holders(Settings(serve=ServiceSettings(holders=2)), tmp_path)
