"""A benchmark from a folder: files, answers, resumption and what cannot be read."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from dns_core.corpus import copies
from dns_core.corpus.edited import make_edited_copies
from dns_core.datasets.ground_truth import read_ground_truth
from dns_core.errors import InputError, ParamsError
from dns_core.ports import SilentProgress
from dns_core.store.quarantine import read_quarantine
from dns_core.video import discover_videos, read_clip, write_video
from dns_core.video.edits import EDITS

T = TypeVar("T")


def footage(
    seed: int, n_frames: int = 20, height: int = 48, width: int = 64
) -> Iterator[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(256, size=(6, 8 + n_frames, 3), dtype=np.uint8)
    for number in range(n_frames):
        yield np.kron(blocks[:, number : number + 8], np.ones((height // 6, width // 8, 1), np.uint8))


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    for seed, name in enumerate(("a/v.mp4", "b/v.mp4", "ü n.mp4")):
        write_video(folder / name, footage(seed), 10)
    return folder


@pytest.fixture
def raw_writer(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Copies are written as bare pixels, to be compared exactly and fast; the list tells which were."""
    written: list[Path] = []

    def write(path: Path, frames: np.ndarray[Any, Any], fps: float) -> None:
        written.append(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{fps} {frames.shape}".encode() + frames.tobytes())

    monkeypatch.setattr(copies, "write_video", write)
    return written


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_video_and_edit_gives_a_readable_query_with_its_answer(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_edited_copies(videos, out, seed=1)
    truth = read_ground_truth(out / "ground_truth.json")
    assert truth.database == ("a/v.mp4", "b/v.mp4", "ü n.mp4")
    assert list(truth.queries) == [video_id for video_id, _ in discover_videos(out / "queries")]
    assert len(truth.queries) == 3 * len(EDITS)
    assert not read_quarantine(out / "quarantine.json")
    for query in truth.queries:
        name = query.split(".")[-2]
        labels = truth.labels[query]
        source = next(iter(json.loads((out / "recipes" / f"{query}.json").read_text())["relations"]))[
            "video_id"
        ]
        assert labels[source] == ("ND" if EDITS[name].is_whole else "DS")
        assert len(labels) == (2 if EDITS[name].kind == "composite" else 1)
        copy = read_clip(out / "queries" / query)
        for video_id in labels:
            for segment in truth.segments[query][video_id]:
                assert 0 <= segment.query_start_s < segment.query_end_s <= copy.duration_s + 0.02
                assert 0 <= segment.target_start_s < segment.target_end_s <= 2.0 + 0.15


def test_segments_point_at_the_same_picture(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_edited_copies(videos, out, seed=3, edits=["trim", "speed"])
    truth = read_ground_truth(out / "ground_truth.json")
    for query in truth.queries:
        [(video_id, [segment])] = truth.segments[query].items()
        copy, source = read_clip(out / "queries" / query), read_clip(videos / video_id)
        shown = copy.frames[round(segment.query_start_s * copy.fps)].astype(int)
        differences = [np.abs(shown - frame).mean() for frame in source.frames]
        assert source.source_times_s[int(np.argmin(differences))] == pytest.approx(
            segment.target_start_s, abs=0.01
        )


@pytest.mark.usefixtures("raw_writer")
def test_the_same_seed_gives_the_same_copies_and_another_seed_does_not(videos: Path, tmp_path: Path) -> None:
    for out, seed in (("one", 1), ("two", 1), ("three", 2)):
        make_edited_copies(videos, tmp_path / out, seed=seed, edits=["crop", "insert"])
    one, two, three = (bytes_of(tmp_path / out) for out in ("one", "two", "three"))
    assert one == two
    assert one.keys() == three.keys()
    assert one != three


class Interrupted(SilentProgress):
    def track(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        for number, item in enumerate(super().track(items, description, total)):
            if number == 2:
                raise KeyboardInterrupt
            yield item


def test_an_interrupted_run_goes_on(videos: Path, tmp_path: Path, raw_writer: list[Path]) -> None:
    names = ["crop", "picture_in_picture"]
    make_edited_copies(videos, tmp_path / "whole", seed=1, edits=names)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        make_edited_copies(videos, out, seed=1, edits=names, progress=Interrupted())
    assert len(list((out / "queries").iterdir())) == 4
    assert not (out / "ground_truth.json").exists()
    raw_writer.clear()
    make_edited_copies(videos, out, seed=1, edits=names)
    assert len(raw_writer) == 2
    assert bytes_of(out) == bytes_of(tmp_path / "whole")
    make_edited_copies(videos, out, seed=1, edits=names)
    assert len(raw_writer) == 2


@pytest.mark.usefixtures("raw_writer")
def test_what_has_changed_is_made_again(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_edited_copies(videos, out, seed=1, edits=["flip"])
    before = bytes_of(out / "queries")
    cut, kept, *_ = sorted(before)
    (out / "queries" / cut).write_bytes(b"cut short")
    make_edited_copies(videos, out, seed=1, edits=["flip"])
    assert bytes_of(out / "queries") == before
    write_video(videos / "a" / "v.mp4", footage(9), 10)
    make_edited_copies(videos, out, seed=1, edits=["flip"])
    changed = [name for name, content in bytes_of(out / "queries").items() if content != before[name]]
    assert len(changed) == 1
    assert kept in before


def test_queries_that_are_not_asked_for_any_more_go(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_edited_copies(videos, out, seed=1, edits=["flip", "grey"])
    (out / "queries" / "mine.mp4").write_bytes(b"not ours")
    make_edited_copies(videos, out, seed=1, edits=["grey"])
    names = [path.name for path in (out / "queries").iterdir()]
    assert sum("grey" in name for name in names) == 3
    assert not any("flip" in name for name in names)
    assert "mine.mp4" in names


def test_what_cannot_be_read_is_quarantined_and_stays_in_the_database(videos: Path, tmp_path: Path) -> None:
    (videos / "notes.txt").write_text("hello")
    (videos / "empty.mp4").touch()
    (videos / "folder.mp4").mkdir()
    (videos / "link.mp4").symlink_to("nothing")
    out = tmp_path / "out"
    said: list[str] = []

    class Listening(SilentProgress):
        def say(self, message: str) -> None:
            said.append(message)

    make_edited_copies(videos, out, seed=1, edits=["insert"], progress=Listening())
    rows = {row.video_id: row.reason for row in read_quarantine(out / "quarantine.json")}
    assert rows == {
        "notes.txt": "not_a_video",
        "empty.mp4": "empty",
        "folder.mp4": "not_a_file",
        "link.mp4": "missing",
    }
    truth = read_ground_truth(out / "ground_truth.json")
    assert len(truth.database) == 7
    assert len(truth.queries) == 3
    assert all(not set(labels) & set(rows) for labels in truth.labels.values())
    assert said == ["3 edited copies of 3 videos; 4 of 7 files could not be read"]


def test_one_video_alone_cannot_be_inserted_anywhere(tmp_path: Path) -> None:
    write_video(tmp_path / "videos" / "v.mp4", footage(0), 10)
    make_edited_copies(tmp_path / "videos", tmp_path / "out", seed=1, edits=["insert", "picture_in_picture"])
    truth = read_ground_truth(tmp_path / "out" / "ground_truth.json")
    [query] = truth.queries
    assert truth.labels[query] == {"v.mp4": "ND"}


def test_only_the_first_minute_of_a_long_video_is_copied_and_said_so(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "COPY_FRAMES", 10)
    make_edited_copies(videos, tmp_path / "out", seed=1, edits=["flip"])
    truth = read_ground_truth(tmp_path / "out" / "ground_truth.json")
    for query in truth.queries:
        [(video_id, [segment])] = truth.segments[query].items()
        assert truth.labels[query] == {video_id: "DS"}
        assert segment.target_end_s == pytest.approx(1.0)


def test_small_videos_are_copied(tmp_path: Path) -> None:
    write_video(tmp_path / "videos" / "dot.mp4", [np.full((2, 2, 3), 9, np.uint8)], 25)
    write_video(tmp_path / "videos" / "line.mp4", footage(1, 3, 6, 8), 25)
    make_edited_copies(tmp_path / "videos", tmp_path / "out", seed=1)
    assert len(read_ground_truth(tmp_path / "out" / "ground_truth.json").queries) == 2 * len(EDITS)


def test_wrong_requests_are_refused(videos: Path, tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="crop"):
        make_edited_copies(videos, tmp_path / "out", seed=1, edits=["rotate"])
    with pytest.raises(InputError, match="inside"):
        make_edited_copies(videos, videos / "out", seed=1)
    with pytest.raises(InputError, match="not a folder"):
        make_edited_copies(tmp_path / "none", tmp_path / "out", seed=1)
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="no file"):
        make_edited_copies(tmp_path / "bare", tmp_path / "out", seed=1)
