"""What is read is what was written, or an error: flipped bits, numbers that make no sense, copies."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dns_core.errors import CorruptArtefactError
from dns_core.index import (
    EncodedVideo,
    Origin,
    add_videos,
    build_index,
    compact_index,
    open_index,
    remove_videos,
    verify_index,
)
from dns_core.index.checksums import FILE
from dns_core.index.manifest import FileEntry, read_manifest, write_manifest

RecordMaker = Callable[..., EncodedVideo]
QUERY = np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 12)


@pytest.fixture
def index(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> Path:
    """Two videos, of which each has frames of several blocks."""
    build_index(tmp_path, [make_record("a", 3000), make_record("b", 3000)], origin)
    return tmp_path


def shard_of(index: Path) -> Path:
    (folder,) = (path for path in (index / "versions" / "1").iterdir() if path.is_dir())
    return folder


def flip(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 1 << (place % 8)
    file.write_bytes(content)


def read_all(path: Path) -> None:
    """All that searches read."""
    index = open_index(path)
    index.coarse_scores(QUERY)
    index.numbers("fine_binary")
    index.coarse_scores(QUERY, np.arange(int(index.chunk_offsets[-1])))
    for row in range(index.n_videos):
        record = index.record(row)
        for name in record.frames:
            record.frames[name].sum()


def as_before(index: Path, change: Callable[[Path], object] = lambda _: None) -> None:
    """The index has no checksums, and ``change`` was made before its digests were taken."""
    folder = shard_of(index)
    change(folder)
    manifest = read_manifest(folder.parent)
    (entry,) = manifest.shards
    files = {name: FileEntry.of(folder / name) for name in entry.files if name != FILE}
    write_manifest(folder.parent, manifest.model_copy(update={"shards": (replace_files(entry, files),)}))


def replace_files(entry: Any, files: dict[str, FileEntry]) -> Any:
    return entry.model_copy(update={"files": files})


def test_a_bit_that_flips_anywhere_is_an_error_that_names_the_file(index: Path) -> None:
    places = random.Random(24)  # noqa: S311 - the same places each time
    files = sorted(shard_of(index).iterdir())
    assert len(files) == 11
    for file in files:
        whole = file.read_bytes()
        for place in {0, len(whole) - 1, *(places.randrange(len(whole)) for _ in range(8))}:
            flip(file, place)
            with pytest.raises(CorruptArtefactError, match=file.name.replace(".", r"\.")):
                read_all(index)
            file.write_bytes(whole)
    read_all(index)


def test_a_damaged_video_costs_no_other(index: Path) -> None:
    frames = shard_of(index) / "frames.fine_binary.npy"
    flip(frames, frames.stat().st_size - 100)
    opened = open_index(index)
    assert opened.record(0).frames["fine_binary"].shape == (3000, 2, 1)
    assert opened.damage == ""
    for _ in range(2):
        with pytest.raises(CorruptArtefactError, match=r"frames\.fine_binary\.npy is damaged between bytes"):
            opened.record(1).frames["fine_binary"]
    assert "frames.fine_binary.npy" in opened.damage


def test_blocks_are_checked_once(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_index(index)
    opened.coarse_scores(QUERY)
    opened.record(0).frames["fine_binary"]
    monkeypatch.setattr("dns_core.index.checksums._checksum", lambda _: pytest.fail("it was checked before"))
    opened.coarse_scores(QUERY)
    opened.record(0).frames["fine_binary"]


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("change", ["compact", "add"])
def test_damage_is_not_copied(index: Path, make_record: RecordMaker, change: str, checked: bool) -> None:
    if not checked:
        as_before(index)
    flip(shard_of(index) / "frames.fine_attention.npy", 40_000)
    with pytest.raises(CorruptArtefactError, match=r"frames\.fine_attention\.npy"):
        compact_index(index) if change == "compact" else add_videos(index, [make_record("c")], models={})
    assert open_index(index).manifest.version == 1
    assert [path.name for path in (index / "versions").iterdir()] == ["1"]


def test_without_its_damaged_video_the_index_is_whole_again(index: Path, make_record: RecordMaker) -> None:
    frames = shard_of(index) / "frames.fine_binary.npy"
    flip(frames, frames.stat().st_size - 100)
    remove_videos(index, ["b"])
    compact_index(index)
    add_videos(index, [make_record("b", 3000)], models={})
    verify_index(index)
    read_all(index)


def test_an_index_of_before_is_read_and_compaction_gives_it_checksums(index: Path) -> None:
    as_before(index)
    read_all(index)
    compact_index(index)
    assert (index / "versions" / "2" / "shard-000002" / FILE).is_file()


@pytest.mark.parametrize(
    ("file", "numbers"),
    [
        ("frame_offsets.npy", [0, 5000, 3000]),
        ("frame_offsets.npy", [0, 3000, 1 << 62]),
        ("frame_offsets.npy", [0, 3000]),
        ("chunk_offsets.npy", [-1, 1, 2]),
        ("chunk_offsets.npy", [[0, 1], [1, 2]]),
    ],
)
def test_offsets_that_make_no_sense_are_one_clear_error(index: Path, file: str, numbers: list[Any]) -> None:
    as_before(index, lambda folder: np.save(folder / file, np.array(numbers, dtype=np.int64)))
    with pytest.raises(CorruptArtefactError, match=rf"{file.replace('.', r'[.]')} makes no sense: expected"):
        read_all(index)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("spans.npy", lambda a: a + 1_000_000),
        ("spans.npy", lambda a: a[:, ::-1]),
        ("spans.npy", lambda a: a[:-1]),
        ("times_s.npy", lambda a: a[:-1]),
        ("frame_rows.npy", lambda a: a[::-1]),
        ("frame_rows.npy", lambda a: a + np.uint32(1 << 30)),
        ("videos.json", None),
    ],
)
def test_rows_that_lead_nowhere_are_one_clear_error(index: Path, file: str, change: Any) -> None:
    def changed(folder: Path) -> None:
        if change is None:
            (folder / file).write_text(json.dumps({"ids": ["a"], "contents": ["a"]}))
        else:
            np.save(folder / file, np.ascontiguousarray(change(np.load(folder / file))))

    as_before(index, changed)
    with pytest.raises(CorruptArtefactError, match=rf"{file.replace('.', r'[.]')} makes no sense: expected"):
        read_all(index)


def test_a_shard_leads_to_no_other_folder(index: Path) -> None:
    folder = shard_of(index).parent
    manifest = read_manifest(folder)
    (entry,) = manifest.shards
    for changed in (
        entry.model_copy(update={"name": "../1/shard-000001"}),
        replace_files(entry, {"../../x": FileEntry(n_bytes=0, sha256="")}),
    ):
        write_manifest(folder, manifest.model_copy(update={"shards": (changed,)}))
        with pytest.raises(CorruptArtefactError, match="is not the manifest of an index"):
            open_index(index)


def test_a_removed_row_that_is_none_is_one_clear_error(index: Path) -> None:
    folder = shard_of(index).parent
    manifest = read_manifest(folder)
    entry = manifest.shards[0].model_copy(update={"removed": (7,)})
    write_manifest(folder, manifest.model_copy(update={"shards": (entry,)}))
    with pytest.raises(CorruptArtefactError, match="expected removed rows below 2"):
        open_index(index)


def test_a_repeated_frame_is_read_where_it_is_stored(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    still = make_record("still", 2000)
    frames = {name: array[np.repeat([0, 5], 1000)] for name, array in still.frames.items()}
    build_index(tmp_path, [make_record("a", 2000), replace(still, frames=frames)], origin)
    found = open_index(tmp_path).record(1).frames
    for name, array in frames.items():
        np.testing.assert_array_equal(found[name], array)
    with pytest.raises(KeyError):
        found["unknown"]
