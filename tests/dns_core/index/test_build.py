import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import InputError, MismatchError, MissingArtefactError
from dns_core.index import (
    Chunking,
    EncodedVideo,
    Origin,
    add_videos,
    build_index,
    compact_index,
    index_info,
    open_index,
    remove_videos,
    verify_index,
)
from dns_core.index.npy_stream import AnyArray
from dns_core.index.versions import version_folder
from dns_core.records import Quarantined

RecordMaker = Callable[..., EncodedVideo]
QUERY = np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 12)


def answers(path: Path) -> dict[str, list[bytes]]:
    """Everything a search reads, by video id, bit for bit."""
    index = open_index(path)
    offsets, scores = index.chunk_offsets, index.coarse_scores(QUERY)
    numbers = index.numbers("fine_binary")
    found = {}
    for row, video_id in enumerate(index.ids):
        chunks = slice(*offsets[row : row + 2])
        record = index.record(row)
        parts: list[AnyArray] = [scores[:, chunks], numbers[chunks], record.spans, record.times_s]
        found[video_id] = [part.tobytes() for part in (*parts, *record.frames.values())]
    return found


def test_an_index_gives_back_what_it_was_given(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    records = [make_record("b", 5), make_record("a", 11, Chunking(4, 2)), make_record("c/é.mp4", 1)]
    manifest = build_index(tmp_path / "index", records, origin)
    index = open_index(tmp_path / "index")
    assert index.manifest == manifest
    assert index.ids == ("b", "a", "c/é.mp4")
    assert index.chunk_offsets.tolist() == [0, 1, 6, 7]
    for row, expected in enumerate(records):
        found = index.record(row)
        assert (found.video_id, found.content) == (expected.video_id, expected.content)
        assert index.n_frames(row) == expected.n_frames
        for name in ("times_s", "spans", "coarse"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), strict=True)
        for name, array in expected.frames.items():
            np.testing.assert_array_equal(found.frames[name], array, strict=True)
        np.testing.assert_array_equal(found.numbers["fine_binary"], expected.numbers["fine_binary"])


def test_a_frame_like_the_one_before_takes_no_room(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    still = make_record("still", 7)
    order = np.array([0, 0, 0, 1, 2, 2, 0])
    frames = {name: array[order] for name, array in still.frames.items()}
    records = [make_record("before", 3), replace(still, frames=frames), make_record("after", 4)]
    build_index(tmp_path, records, origin)
    shard = next(path for path in version_folder(tmp_path, 1).iterdir() if path.is_dir())
    for name in frames:
        # "still" shows four in turn: what came back at its end counts again.
        assert len(np.load(shard / f"frames.{name}.npy")) == 3 + 4 + 4
    for _ in range(2):
        index = open_index(tmp_path)
        for expected in records:
            found = index.record(index.ids.index(expected.video_id))
            for name, array in expected.frames.items():
                np.testing.assert_array_equal(found.frames[name], array, strict=True)
        compact_index(tmp_path)


def test_frames_differ_if_one_network_tells_them_apart(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    video = make_record("a", 3)
    blind = {**video.frames, "fine_binary": np.repeat(video.frames["fine_binary"][:1], 3, axis=0)}
    build_index(tmp_path, [replace(video, frames=blind)], origin)
    found = open_index(tmp_path).record(0)
    for name, array in blind.items():
        np.testing.assert_array_equal(found.frames[name], array, strict=True)


def test_coarse_scores_are_the_dot_products_of_all_live_chunks(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    build_index(tmp_path, [make_record("a", 11, Chunking(4, 2)), make_record("b")], origin)
    add_videos(tmp_path, [make_record("c")], models={})
    remove_videos(tmp_path, ["b"])
    expected = np.concatenate([make_record("a", 11, Chunking(4, 2)).coarse, make_record("c").coarse])
    np.testing.assert_allclose(open_index(tmp_path).coarse_scores(QUERY), QUERY @ expected.T, atol=1e-6)


def test_an_index_without_videos_can_be_built_searched_and_filled(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    build_index(tmp_path, [], origin)
    index = open_index(tmp_path)
    assert (index.ids, index.n_videos, index.coverage) == ((), 0, 1.0)
    assert index.coarse_scores(QUERY).shape == (2, 0)
    assert index.numbers("fine_binary").shape == (0,)
    add_videos(tmp_path, [make_record("a")], models={})
    remove_videos(tmp_path, ["a"])
    assert open_index(tmp_path).n_videos == 0
    compact_index(tmp_path)
    verify_index(tmp_path)


def test_adding_equals_building_with_all(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> None:
    records = [make_record(name, 3 + len(name)) for name in ("a", "bb", "ccc", "dddd")]
    build_index(tmp_path / "at once", records, origin)
    build_index(tmp_path / "in steps", records[:1], origin)
    add_videos(tmp_path / "in steps", records[1:3], models=origin.models)
    add_videos(tmp_path / "in steps", records[3:], models=origin.models)
    assert answers(tmp_path / "in steps") == answers(tmp_path / "at once")
    at_once, in_steps = open_index(tmp_path / "at once"), open_index(tmp_path / "in steps")
    assert at_once.manifest.data == in_steps.manifest.data
    assert build_index(tmp_path / "backwards", records[::-1], origin).data == at_once.manifest.data
    assert build_index(tmp_path / "fewer", records[1:], origin).data != at_once.manifest.data
    assert (len(at_once.manifest.shards), len(in_steps.manifest.shards)) == (1, 3)
    assert in_steps.manifest.version == 3


def test_adding_links_the_old_shards(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> None:
    build_index(tmp_path, [make_record("a")], origin)
    add_videos(tmp_path, [make_record("b")], models=origin.models)
    old, new = (tmp_path / "versions" / n / "shard-000001" / "coarse.npy" for n in "12")
    assert old.samefile(new)


def test_where_links_are_not_allowed_shards_are_copied(
    tmp_path: Path, make_record: RecordMaker, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "no links here")

    build_index(tmp_path, [make_record("a")], origin)
    monkeypatch.setattr(os, "link", refuse)
    add_videos(tmp_path, [make_record("b")], models=origin.models)
    assert sorted(answers(tmp_path)) == ["a", "b"]
    verify_index(tmp_path)


def test_compaction_changes_no_answer_and_forgets_history(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    names = [f"v{number}" for number in range(12)]
    for path, order in ((tmp_path / "a", names), (tmp_path / "b", names[::-1])):
        build_index(path, [make_record(name) for name in order[:5]], origin)
        add_videos(path, [make_record(name) for name in order[5:]], models=origin.models)
        remove_videos(path, ["v3", "v8"])
        before = answers(path)
        assert len(before) == 10
        assert index_info(path).n_removed == 2
        compact_index(path)
        assert answers(path) == before
        info = index_info(path)
        assert (info.n_videos, info.n_removed, info.n_frames, len(info.manifest.shards)) == (10, 0, 50, 1)
    files = [sorted((tmp_path / n / "versions" / "4").rglob("*")) for n in "ab"]
    assert [file.read_bytes() for file in files[0] if file.is_file()] == [
        file.read_bytes() for file in files[1] if file.is_file()
    ]


def test_compaction_makes_shards_of_a_size(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> None:
    build_index(tmp_path, [make_record(f"v{number}") for number in range(10)], origin)
    remove_videos(tmp_path, ["v3"])
    before = answers(tmp_path)
    for size, expected in ((4, [4, 4, 1]), (3, [3, 3, 3]), (9, [9]), (0, [9])):
        manifest = compact_index(tmp_path, size)
        assert [entry.n_videos for entry in manifest.shards] == expected
        assert len({entry.name for entry in manifest.shards}) == len(expected)
        assert answers(tmp_path) == before
    remove_videos(tmp_path, [f"v{number}" for number in range(10) if number != 3])
    assert compact_index(tmp_path, 4).shards == ()


def test_a_removed_video_can_be_added_again(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> None:
    build_index(tmp_path, [make_record("a"), make_record("b")], origin)
    remove_videos(tmp_path, ["a"])
    assert open_index(tmp_path).ids == ("b",)
    add_videos(tmp_path, [replace(make_record("a"), content="new")], models=origin.models)
    index = open_index(tmp_path)
    assert dict(zip(index.ids, index.contents, strict=True)) == {"b": "content of b", "a": "new"}
    compact_index(tmp_path)
    assert open_index(tmp_path).ids == ("a", "b")


def test_an_id_enters_once(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> None:
    with pytest.raises(InputError, match="a is already in the index"):
        build_index(tmp_path, [make_record("a"), make_record("a")], origin)
    build_index(tmp_path, [make_record("a")], origin)
    with pytest.raises(InputError, match="a is already in the index"):
        add_videos(tmp_path, [make_record("b"), make_record("a")], models=origin.models)
    assert open_index(tmp_path).ids == ("a",)


def test_removing_what_is_not_there_names_it(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    build_index(tmp_path, [make_record("a")], origin)
    with pytest.raises(InputError, match="not in the index: p, q, r, s, t and 1 more"):
        remove_videos(tmp_path, ["a", "t", "s", "r", "q", "p", "u"])
    assert open_index(tmp_path).ids == ("a",)


def test_videos_of_other_models_are_refused(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> None:
    build_index(tmp_path, [make_record("a")], origin)
    with pytest.raises(MismatchError, match="coarse mismatch: expected c2, found c1"):
        add_videos(tmp_path, [make_record("b")], models={**origin.models, "coarse": "c2"})
    with pytest.raises(MismatchError, match="teacher mismatch: expected t, found none"):
        open_index(tmp_path).manifest.check_models({"teacher": "t"})


def test_quarantine_travels_with_the_index(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> None:
    lost = [Quarantined(name, "corrupt", "no frame decodes") for name in ("y", "x")]
    build_index(tmp_path, [make_record("a"), make_record("b")], origin, quarantine=lost)
    index = open_index(tmp_path)
    assert [row.video_id for row in index.manifest.quarantine] == ["x", "y"]
    assert index.coverage == 0.5
    # a video that was repaired leaves the list, and one more is lost
    add_videos(tmp_path, [make_record("x")], models={}, quarantine=[Quarantined("z.mp4", "empty", "0 bytes")])
    assert [row.video_id for row in open_index(tmp_path).manifest.quarantine] == ["y", "z.mp4"]
    remove_videos(tmp_path, ["y"])
    assert open_index(tmp_path).coverage == 0.75


@pytest.mark.parametrize(
    ("video_id", "reason", "is_missed"),
    [
        ("film.mp4", "not_a_video", True),
        ("FILM.MKV", "empty", True),
        ("film", "corrupt", True),
        ("film.dat", "encrypted", True),
        ("film.srt", "not_a_video", False),
        ("notes.txt", "empty", False),
        ("song.mp3", "no_video_stream", False),
        ("cover.jpg", "not_a_video", False),
        ("gone.txt", "missing", False),
    ],
)
def test_coverage_counts_videos(
    tmp_path: Path, make_record: RecordMaker, video_id: str, reason: str, is_missed: bool
) -> None:
    origin = Origin(models={})
    build_index(tmp_path, [make_record("a")], origin, quarantine=[Quarantined(video_id, reason, "")])
    assert open_index(tmp_path).coverage == (0.5 if is_missed else 1.0)


def test_records_that_do_not_fit_are_refused(
    tmp_path: Path, make_record: RecordMaker, origin: Origin
) -> None:
    good = make_record("a")
    bad = {
        "coarse": replace(good, video_id="b", coarse=np.ones((2, 8), dtype=np.float32)),
        "fine_binary": replace(good, video_id="b", frames={"fine_binary": np.ones((4, 2, 1))}),
        "spans": replace(good, video_id="b", spans=np.array([[0, 6]])),
        "has 0": replace(good, video_id="b", times_s=np.empty(0)),
        "frames.fine_attention": replace(good, video_id="b", frames={}),
        "coarse.npy holds rows": replace(good, video_id="b", coarse=np.ones((1, 9), dtype=np.float32)),
    }
    for message, record in bad.items():
        with pytest.raises(InputError, match=message):
            build_index(tmp_path, [good, record], origin)
    with pytest.raises(MissingArtefactError):
        open_index(tmp_path)


def test_an_unknown_network_is_missed(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> None:
    build_index(tmp_path, [make_record("a")], origin)
    with pytest.raises(MissingArtefactError, match="built without that network"):
        open_index(tmp_path).numbers("fine_attention")


def test_records_are_taken_one_at_a_time(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> None:
    written: list[int] = []

    def records() -> Iterator[EncodedVideo]:
        for number in range(3):
            folders = list((tmp_path / "versions").iterdir())
            file = folders[0] / "shard-000001" / "times_s.npy"
            written.append(number if file.exists() else -1)
            yield make_record(f"v{number}")

    build_index(tmp_path, records(), origin)
    assert written == [-1, 1, 2]
