import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dns_core.errors import ArtefactError, CorruptArtefactError, MissingArtefactError
from dns_core.index import (
    EncodedVideo,
    Origin,
    add_videos,
    build_index,
    open_index,
    remove_videos,
    verify_index,
)

RecordMaker = Callable[..., EncodedVideo]


def version_names(path: Path) -> list[str]:
    return sorted(entry.name for entry in (path / "versions").iterdir())


def test_a_failure_while_adding_leaves_the_old_version_and_no_litter(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    def broken() -> Iterator[EncodedVideo]:
        yield make_record("b")
        raise KeyboardInterrupt

    build_index(tmp_path, [make_record("a")], origin)
    with pytest.raises(KeyboardInterrupt):
        add_videos(tmp_path, broken(), models=origin.models)
    assert open_index(tmp_path).ids == ("a",)
    assert version_names(tmp_path) == ["1"]
    add_videos(tmp_path, [make_record("b")], models=origin.models)
    assert open_index(tmp_path).ids == ("a", "b")


def test_a_failed_first_build_leaves_nothing_to_open(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    def broken() -> Iterator[EncodedVideo]:
        yield make_record("a")
        raise ValueError("the decoder broke")

    with pytest.raises(ValueError, match="the decoder broke"):
        build_index(tmp_path, broken(), origin)
    with pytest.raises(MissingArtefactError, match="holds no index"):
        open_index(tmp_path)
    build_index(tmp_path, [make_record("a")], origin)
    assert open_index(tmp_path).ids == ("a",)


# Runs in a process of its own: adds the pickled record and dies at the given moment.
ADD_AND_DIE = """
import os, pickle, signal, sys
from pathlib import Path
from dns_core.index import add_videos, versions

path, parcel, moment = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
record, models = pickle.loads(parcel.read_bytes())

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def records():
    yield record
    if moment == "while writing":
        die()

real_file, real_sweep = versions.atomic_file, versions._sweep

def atomic_file(target):
    if moment == "before the pointer" and target.name == "CURRENT":
        die()
    return real_file(target)

def sweep(target, *, keep):
    if moment == "after the pointer" and len(keep) == 2:
        die()
    real_sweep(target, keep=keep)

versions.atomic_file, versions._sweep = atomic_file, sweep
add_videos(path, records(), models=models)
"""


@pytest.mark.parametrize("moment", ["while writing", "before the pointer", "after the pointer"])
def test_a_killed_writer_costs_a_reader_nothing(
    tmp_path: Path, make_record: RecordMaker, origin: Origin, moment: str
) -> None:
    build_index(tmp_path, [make_record("a")], origin)
    add_videos(tmp_path, [make_record("b")], models=origin.models)
    parcel = tmp_path.with_suffix(".pickle")
    parcel.write_bytes(pickle.dumps((make_record("c"), dict(origin.models))))
    writer = subprocess.run([sys.executable, "-c", ADD_AND_DIE, tmp_path, parcel, moment], check=False)
    assert writer.returncode == -signal.SIGKILL
    expected = ("a", "b", "c") if moment == "after the pointer" else ("a", "b")
    assert open_index(tmp_path).ids == expected
    verify_index(tmp_path)
    # the next writer takes the lock, sweeps what is left and continues
    add_videos(tmp_path, [make_record("d")], models=origin.models)
    assert open_index(tmp_path).ids == (*expected, "d")
    number = open_index(tmp_path).manifest.version
    assert version_names(tmp_path) == [str(number - 1), str(number)]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["CURRENT", "LOCK", "versions"]


def test_litter_is_gone_before_more_is_written(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    """Else a disk that a killed writer filled would never be free again."""
    build_index(tmp_path, [make_record("a")], origin)
    for name in ("2", ".partial-of-another-machine"):
        (tmp_path / "versions" / name / "shard-000002").mkdir(parents=True)
    seen: list[list[str]] = []

    def records() -> Iterator[EncodedVideo]:
        seen.append(version_names(tmp_path))
        yield make_record("b")

    add_videos(tmp_path, records(), models=origin.models)
    assert len(seen[0]) == 2
    assert "1" in seen[0]
    assert not {"2", ".partial-of-another-machine"} & set(seen[0])
    assert version_names(tmp_path) == ["1", "2"]


def test_two_writers_do_not_mix(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> None:
    build_index(tmp_path, [make_record("a")], origin)

    def meddling() -> Iterator[EncodedVideo]:
        with pytest.raises(ArtefactError, match="being written by another process"):
            remove_videos(tmp_path, ["a"])
        yield make_record("b")

    add_videos(tmp_path, meddling(), models=origin.models)
    assert open_index(tmp_path).ids == ("a", "b")


def test_a_reader_keeps_its_version_while_writers_go_on(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    build_index(tmp_path, [make_record("a")], origin)
    index = open_index(tmp_path)
    before = index.record(0).coarse.tobytes()
    for name in "bcd":
        add_videos(tmp_path, [make_record(name)], models=origin.models)
    assert index.ids == ("a",)
    assert index.record(0).coarse.tobytes() == before
    assert version_names(tmp_path) == ["3", "4"]


def test_a_version_that_vanishes_while_it_is_opened_is_looked_for_again(
    tmp_path: Path, make_record: RecordMaker, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_index(tmp_path, [make_record("a")], origin)
    for name in "bc":
        add_videos(tmp_path, [make_record(name)], models=origin.models)
    seen = iter([1, 3, 3])
    monkeypatch.setattr("dns_core.index.reader.current_version", lambda _: next(seen))
    assert open_index(tmp_path).ids == ("a", "b", "c")


def test_a_pointer_that_says_nothing_is_named(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    build_index(tmp_path, [make_record("a")], origin)
    (tmp_path / "CURRENT").write_text("")
    with pytest.raises(CorruptArtefactError, match="CURRENT"):
        open_index(tmp_path)
    with pytest.raises(MissingArtefactError, match="holds no index"):
        open_index(tmp_path / "nowhere")


def test_building_again_supersedes_with_the_same_bytes(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    for _ in range(2):
        build_index(tmp_path, [make_record("a"), make_record("b")], origin)
    shards = [tmp_path / "versions" / n / f"shard-00000{n}" for n in "12"]
    contents = [{file.name: file.read_bytes() for file in shard.iterdir()} for shard in shards]
    assert contents[0] == contents[1]
