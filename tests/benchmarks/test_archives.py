"""*Archives*: what their queries show, what counts as right, and an oracle above every policy."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.archive_judging import BUDGETS, ByTruth, Judged, interval, judge, print_judged
from benchmarks.archive_making import Archive, Query, QueryMaker, draw_archives, labels_of, segments_of
from benchmarks.archive_shots import FPS, SIZE_PX, Footage, Shot, black, starts_s, without_twins
from dns_core.datasets.ground_truth import write_ground_truth
from dns_core.ports import SilentProgress
from dns_core.records import NEUTRAL, Float32Array, GroundTruth, Segment
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.selection import ByCoarseScore, Candidates, select
from dns_core.store.atomic import write_json
from dns_core.store.feature_store import FeatureWriter

LENGTH_S = 12.0


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    photos = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number in range(8):
        blotches = Image.fromarray(rng.integers(256, size=(6, 9, 3), dtype=np.uint8))
        blotches.resize((320, 213), Image.Resampling.BICUBIC).save(photos / f"{number}.jpg")
    return Footage(photos, photos)


@pytest.fixture
def archives() -> list[Archive]:
    """Two of one programme, then two that begin with black."""
    photos = [Shot(f"{number}.jpg", 0.0, LENGTH_S) for number in range(7)]
    return [
        Archive("a", (photos[0], photos[1], photos[2]), LENGTH_S, has_intro=True),
        Archive("b", (photos[0], photos[3], photos[4]), LENGTH_S, has_intro=True),
        Archive("c", (black(4.0), photos[5], photos[5]), 4.0),
        Archive("d", (black(4.0), photos[6], photos[6]), 4.0),
    ]


def maker(archives: list[Archive], footage: Footage, seed: int) -> QueryMaker:
    return QueryMaker(archives, [Shot("7.jpg", 0.0, 5.0)], footage, np.random.default_rng(seed))


def test_a_shot_is_in_one_archive_but_for_the_intros() -> None:
    shots = [Shot(f"{number}.jpg", 0.0, 8.0) for number in range(1200)]
    archives, fillers = draw_archives(shots, (60.0, 360.0), np.random.default_rng(1))
    uses = Counter(shot for archive in archives for shot in archive.shots if shot.source.endswith(".jpg"))
    shared = {shot: count for shot, count in uses.items() if count > 1}
    assert sorted(shared.values()) == [5, 5, 5, 5]
    assert set(shared) == {archive.shots[0] for archive in archives if archive.has_intro}
    assert not set(fillers) & set(uses)
    assert all(60 <= archive.length_s < 360 + 8 for archive in archives)
    assert any(archive.shots[0].source == "black" for archive in archives)
    assert draw_archives(shots, (60.0, 360.0), np.random.default_rng(1)) == (archives, fillers)


def test_a_query_shows_what_its_segments_say(archives: list[Archive], footage: Footage) -> None:
    for seed in range(3):
        query = Query()
        clip = maker(archives[2:], footage, seed).kinds["black leader"](query)
        [(archive, segment)] = query.segments
        first, last = round(segment.query_start_s * FPS), round(segment.query_end_s * FPS)
        length_s = segment.target_end_s - segment.target_start_s
        expected = footage.between(archive.shots, segment.target_start_s, length_s)
        assert np.array_equal(clip.frames[first:last], expected)
        assert not clip.frames[:first].any()
        assert not clip.frames[last:].any()
        assert archive.content_s <= segment.target_start_s < segment.target_end_s <= archive.length_s + 1e-9


def test_a_stretch_over_a_cut_is_of_both_shots(archives: list[Archive], footage: Footage) -> None:
    shots = archives[0].shots
    between = footage.between(shots, LENGTH_S - 1, 2.0)
    assert np.array_equal(between[:6], footage.frames(shots[0])[-6:])
    assert np.array_equal(between[6:], footage.frames(shots[1])[:6])
    assert starts_s(shots).tolist() == [0, LENGTH_S, 2 * LENGTH_S, 3 * LENGTH_S]


def test_videos_of_the_same_programme_are_neutral(archives: list[Archive], footage: Footage) -> None:
    query = Query()
    mine = maker(archives, footage, 0)
    mine._rng = _First()  # type: ignore[assignment]
    mine.kinds["shared intro"](query)
    assert labels_of(query, archives) == {"a": "DS", "b": NEUTRAL}
    assert [segment.target_start_s for segment in segments_of(query)["a"]] == [0, LENGTH_S]


def test_other_stretches_of_a_source_are_neutral(archives: list[Archive]) -> None:
    query = Query(sources={"5.jpg"})
    assert labels_of(query, archives) == {"c": NEUTRAL}


def test_a_grid_shows_four_archives(archives: list[Archive], footage: Footage) -> None:
    query = Query()
    clip = maker(archives, footage, 1).kinds["grid"](query)
    assert clip.frames.shape[1:3] == SIZE_PX[::-1]
    assert {archive.name for archive, _ in query.segments} == {"a", "b", "c", "d"}
    assert {segment.query_start_s for _, segment in query.segments} == {0.0}


def test_one_of_each_group_of_twins_is_kept() -> None:
    ids = ["s/a", "s/b", "s/c", "t/d", "s/e"]
    assert without_twins(ids, {"s/a": ("t/d",), "t/d": ("s/a",)}, 3) == ["s/a", "s/b", "s/c"]


def test_the_oracle_takes_what_is_right_first() -> None:
    scores = np.array([0.9, 0.1, 0.5], dtype=np.float32)
    features = np.zeros((3, 3), dtype=np.float32)
    seen = Candidates(np.arange(3), ("a", "b", "c"), scores, features, scores)
    assert select(ByCoarseScore(), seen, 2).tolist() == [0, 2]
    assert select(ByTruth(frozenset({"b"})), seen, 2).tolist() == [1, 0]


def test_an_interval_holds_the_mean_and_narrows_with_queries() -> None:
    few = interval({str(n): float(n % 2) for n in range(10)})
    many = interval({str(n): float(n % 2) for n in range(1000)})
    assert few[0] < many[0] < 0.5 < many[1] < few[1]


def test_short_excerpts_of_long_videos_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    videos = {f"{number}.mp4": _drawn(rng, 80) for number in range(6)}
    queries = {kind: (f"{row}.mp4", 10 * row) for row, kind in enumerate(("excerpt", "edited excerpt"), 1)}
    queries["compilation"] = ("5.mp4", 30)
    write_features(tmp_path, "database", videos)
    write_features(tmp_path, "queries", {q: videos[v][at : at + 16] for q, (v, at) in queries.items()})
    labels = {query: {video: "DS"} for query, (video, _) in queries.items()}
    segments = {q: {v: (Segment(0, 8, at / 2, at / 2 + 8, 1.0),)} for q, (v, at) in queries.items()}
    truth = GroundTruth(tuple(queries), tuple(videos), labels, {"DSVR": ("DS",)}, segments)
    write_ground_truth(tmp_path / "ground_truth.json", truth)
    asked = {query: {"edit": query, "edits": [query], "strength": "medium"} for query in queries}
    write_json(tmp_path / "queries.json", asked)

    bundle = Bundle.load(SHIPPED_MODELS)
    long, short = (
        judge(tmp_path, bundle, Judged("fine_binary", frames), SilentProgress()) for frames in (80, 16)
    )
    for found in (long, short):
        maps = {row["method"]: row["map"] for row in found["methods"]}
        assert maps["fine_binary"] == found["selection"]["oracle"][-1]["map"] == 1
        assert [cell["budget"] for cell in found["selection"]["random"]] == list(BUDGETS)
        for cells in found["selection"].values():
            pairs = zip(found["selection"]["oracle"], cells, strict=True)
            assert all(best["map"] >= cell["map"] for best, cell in pairs)
        assert found["segments"]["compilation"]["located"]["f1"] > 0.8
    assert (long["bytes"]["chunks"], short["bytes"]["chunks"]) == (1, 6)
    assert short["bytes"]["coarse"] > long["bytes"]["coarse"]
    print_judged(short)
    assert "oracle" in capsys.readouterr().out


def write_features(folder: Path, kind: str, videos: Mapping[str, Float32Array]) -> None:
    writer = FeatureWriter(folder / f"{kind}.hdf5", metadata={}, partial=folder / "partial")
    for name, regions in videos.items():
        writer.write(name, [(regions, np.arange(len(regions)) / 2)])
    writer.finish(list(videos))


def _drawn(rng: np.random.Generator, n_frames: int) -> Float32Array:
    """Frames that have nothing in common."""
    regions = rng.standard_normal((n_frames, 9, 512))
    return np.asarray(regions / np.linalg.norm(regions, axis=-1, keepdims=True), dtype=np.float32)


class _First:
    """Draws the least of what is asked for."""

    def integers(self, *_: int) -> int:
        return 0

    def uniform(self, low: float, _high: float) -> float:
        return low
