"""A benchmark from folders of videos: sides that share no source, queries with answers, bad input."""

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dns_core.corpus.shots import Shot, film
from dns_core.datasets.ground_truth import read_ground_truth
from dns_core.errors import InputError
from dns_core.measurement.own_benchmark.make import CHAIN, BenchmarkConfig, make_benchmark, source_of
from dns_core.ports import SilentProgress
from dns_core.records import NEUTRAL, UInt8Array
from dns_core.store.quarantine import read_quarantine
from dns_core.video import read_clip, write_video
from dns_core.video.edits import EDITS, STRENGTHS

CONFIG = BenchmarkConfig(seed=1, split_seed=1, test_share=0.5, queries_per_edit=1, largest_source=2)
# By source, what its videos show: nothing that another source shows.
SCENES = {
    "one": (("china", "roof"), ("china", "lake"), ("coffee", "cup"), ("coffee", "saucer")),
    "two": (("astronaut", "upper"), ("astronaut", "lower")),
    "three": (("motorcycle", "front"), ("motorcycle", "rear")),
    "four": (("chelsea", "left"),),
}
SIZES = {source: len(scenes) for source, scenes in SCENES.items()}


def _footage(source: str, scene: str) -> UInt8Array:
    return film(Shot(f"{source}/{scene}/0", source, scene, 0, 2.0, seed=0), np.arange(12) / 6, (96, 64))


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive") / "videos"
    for source, scenes in SCENES.items():
        for number, scene in enumerate(scenes):
            write_video(folder / source / f"{number}.mp4", _footage(*scene), 6)
    (folder / "one" / "notes.csv").write_text("no,video\n")
    return folder


@pytest.fixture(scope="module")
def made(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("benchmark")
    make_benchmark(videos, out, CONFIG, SilentProgress())
    return out / "data"


def _ids(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.is_file()}


def test_train_and_test_share_no_source(made: Path) -> None:
    train, test = ({source_of(i) for i in _ids(made / side)} for side in ("train", "test/database"))
    assert train
    assert test
    assert not train & test
    assert train | test == set(SIZES)
    described = json.loads((made / "benchmark.json").read_text())
    assert (set(described["train_sources"]), set(described["test_sources"])) == (train, test)


def test_a_large_source_is_limited_in_training_and_queries_and_searched_whole(made: Path) -> None:
    described = json.loads((made / "benchmark.json").read_text())
    assert max(Counter(map(source_of, _ids(made / "train"))).values()) <= 2
    for source in described["test_sources"]:
        assert sum(source_of(i) == source for i in _ids(made / "test/database")) == SIZES[source]
        assert (
            len({q["video_id"] for q in described["queries"].values() if source_of(q["video_id"]) == source})
            <= 2
        )


def test_every_edit_is_asked_at_every_strength(made: Path) -> None:
    described = json.loads((made / "benchmark.json").read_text())["queries"]
    cells = Counter((query["edit"], query["strength"]) for query in described.values())
    assert set(cells) == {(edit, strength) for edit in (*EDITS, CHAIN) for strength in STRENGTHS}
    assert {cells[edit, "strong"] for edit in EDITS} == {1}
    assert cells[CHAIN, "strong"] == 6
    chains = [query["edits"] for query in described.values() if query["edit"] == CHAIN]
    assert all(len([e for e in edits if e != "trim"]) in (2, 3) for edits in chains)


def test_the_answers_are_in_the_database_and_the_queries_can_be_read(made: Path) -> None:
    truth = read_ground_truth(made / "test" / "ground_truth.json")
    described = json.loads((made / "benchmark.json").read_text())["queries"]
    assert set(truth.database) == _ids(made / "test/database")
    assert set(truth.queries) == _ids(made / "test/queries") == set(described)
    for query in truth.queries:
        assert described[query]["video_id"] in truth.labels[query]
        assert set(truth.labels[query]) <= set(truth.database)
    assert read_clip(made / "test/queries" / truth.queries[0]).n_frames > 0


def test_what_is_no_video_is_quarantined(made: Path) -> None:
    assert [(row.video_id, row.reason) for row in read_quarantine(made / "quarantine.json")] == [
        ("one/notes.csv", "not_a_video")
    ]


def test_a_second_run_changes_nothing_and_another_split_removes_what_left(
    videos: Path, tmp_path: Path
) -> None:
    make_benchmark(videos, tmp_path, CONFIG, SilentProgress())
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.mp4")}
    make_benchmark(videos, tmp_path, CONFIG, SilentProgress())
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.mp4")} == before
    other = BenchmarkConfig(seed=1, split_seed=2, test_share=0.5, queries_per_edit=1, largest_source=2)
    make_benchmark(videos, tmp_path, other, SilentProgress())
    truth = read_ground_truth(tmp_path / "data/test/ground_truth.json")
    assert _ids(tmp_path / "data/test/database") == set(truth.database)
    assert _ids(tmp_path / "data/test/queries") == set(truth.queries)


@pytest.mark.parametrize("edited", [False, True])
def test_footage_of_a_test_video_is_not_trained_on(
    videos: Path, made: Path, tmp_path: Path, edited: bool
) -> None:
    described = json.loads((made / "benchmark.json").read_text())
    trained, tested = described["train_sources"][0], described["test_sources"][0]
    archive = tmp_path / "archive"
    shutil.copytree(videos, archive)
    copy, original = archive / trained / "0.mp4", archive / tested / "0.mp4"
    if edited:
        write_video(copy, read_clip(original).frames[:, ::2, ::2], 6)
    else:
        shutil.copyfile(original, copy)
    make_benchmark(archive, tmp_path / "out", CONFIG, SilentProgress())
    assert f"{trained}/0.mp4" not in _ids(tmp_path / "out/data/train")
    left_out = json.loads((tmp_path / "out/data/benchmark.json").read_text())["left_out"]
    assert [row["shown_by"] for row in left_out.values()] == [f"{tested}/0.mp4"]


def test_twins_in_the_database_are_neutral(videos: Path, made: Path, tmp_path: Path) -> None:
    described = json.loads((made / "benchmark.json").read_text())
    tested = described["test_sources"][0]
    archive = tmp_path / "archive"
    shutil.copytree(videos, archive)
    original, twin = f"{tested}/0.mp4", f"{tested}/twin.mp4"
    write_video(archive / twin, read_clip(archive / original).frames[:, ::2, ::2], 6)
    make_benchmark(archive, tmp_path / "out", CONFIG, SilentProgress())
    found = json.loads((tmp_path / "out/data/benchmark.json").read_text())["twins"]
    assert (found[original], found[twin]) == ([twin], [original])
    labels = read_ground_truth(tmp_path / "out/data/test/ground_truth.json").labels
    pairs = [shown.keys() for shown in labels.values() if shown.get(twin) == NEUTRAL]
    assert pairs
    assert all(original in shown for shown in pairs)


def test_sources_of_the_same_footage_are_refused(videos: Path, tmp_path: Path) -> None:
    for name in ("this", "that"):
        shutil.copytree(videos / "four", tmp_path / "videos" / name)
    write_video(tmp_path / "videos/this/0.mp4", _footage("chelsea", "left")[::2], 3)
    with pytest.raises(InputError, match="footage of a test source"):
        make_benchmark(tmp_path / "videos", tmp_path / "out", CONFIG, SilentProgress())


def test_one_source_is_not_enough(videos: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"2 or more folders .* found 1"):
        make_benchmark(videos / "two", tmp_path, CONFIG, SilentProgress())
