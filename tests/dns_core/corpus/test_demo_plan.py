"""The plan of the demo corpus: its size, its balance, and cameras that see what they should."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from dns_core.corpus.archive import CorpusSize
from dns_core.corpus.camera import coefficients, draw_camera, exposures, views
from dns_core.corpus.compose import Part, Run, VideoPlan, part_starts, render
from dns_core.corpus.plan import DEMO_QUERY, CorpusPlan, plan_corpus
from dns_core.corpus.recipes import ARCHIVE, DEMO, EXCERPT, WHOLE
from dns_core.corpus.relations import matched
from dns_core.corpus.shots import Shot, film
from dns_core.corpus.sources import SOURCES
from dns_core.video.edits import EDITS

DATABASE, QUERIES = "test/database/", "test/queries/"


@pytest.fixture(scope="module")
def plan() -> CorpusPlan:
    return plan_corpus(0, CorpusSize())


def _shown(plan: VideoPlan) -> set[str]:
    """Shots of which the window holds at least a second."""
    start_s, end_s = plan.window_s or (0.0, 1e9)
    starts = part_starts(plan.parts)
    return {
        part.shot_id
        for part, at_s in zip(plan.parts, starts[:-1], strict=True)
        if min(end_s, at_s + part.duration_s) - max(start_s, at_s) >= 1.0
    }


def test_the_demo_is_of_the_promised_size(plan: CorpusPlan) -> None:
    counts = Counter(path.rsplit("/", 1)[0] for path in plan.videos)
    assert counts == {"train": 72, "test/database": 88, "test/queries": 30}
    lengths = [float(part_starts(v.parts)[-1]) for v in plan.videos.values() if v.window_s is None]
    assert min(lengths) >= 6.0
    assert max(lengths) <= 25.0
    assert Counter(len(v.parts) for v in plan.videos.values()).keys() >= {1, 2, 3, 4}


def test_every_query_has_positives_of_each_kind(plan: CorpusPlan) -> None:
    def places(shots: set[str], depth: int) -> set[str]:
        return {"/".join(shot.split("/")[:depth]) for shot in shots}

    database = {path: _shown(v) for path, v in plan.videos.items() if path.startswith(DATABASE)}
    n_scene, n_view, n_incident = [], [], []
    for path, query in plan.videos.items():
        if not path.startswith(QUERIES):
            continue
        ours = _shown(query)
        scene = {v for v, theirs in database.items() if ours & theirs}
        view = {v for v, theirs in database.items() if places(ours, 2) & places(theirs, 2)} - scene
        incident = {v for v, theirs in database.items() if places(ours, 1) & places(theirs, 1)} - scene - view
        assert len(scene) == 1 if path == DEMO_QUERY else len(scene) >= 2
        assert len(scene) + len(view) + len(incident) <= len(database) / 2
        n_scene.append(len(scene))
        n_view.append(len(view))
        n_incident.append(len(incident))
    assert np.median(n_scene) >= 3
    assert np.median(n_view) >= 2
    assert np.median(n_incident) >= 3


def test_the_demo_query_is_an_excerpt_of_four_to_eight_seconds(plan: CorpusPlan) -> None:
    window_s = plan.videos[DEMO_QUERY].window_s
    assert window_s is not None
    assert 4.0 <= window_s[1] - window_s[0] <= 8.0
    assert len(plan.videos[plan.videos[DEMO_QUERY].copy_of or ""].parts) == 3


def test_whole_copies_cut_nothing_off_and_mixing_edits_have_footage(plan: CorpusPlan) -> None:
    for recipe in (*WHOLE, *ARCHIVE, DEMO):
        assert all(EDITS[name].is_whole for name, _ in recipe)
    assert {name for recipe in EXCERPT for name, _ in recipe} <= EDITS.keys()
    for video in plan.videos.values():
        if any(EDITS[name].needs_other for name, _ in video.edits):
            assert video.filler is not None
        if video.filler is not None and video.path.startswith("test/"):
            assert SOURCES[plan.shots[video.filler].source].split == "filler"


def test_two_uses_of_a_shot_overlap_by_a_second(plan: CorpusPlan) -> None:
    parts: dict[str, list[Part]] = {}
    for video in plan.videos.values():
        for part in video.parts:
            parts.setdefault(part.shot_id, []).append(part)
            assert 0 <= part.start_s < part.end_s <= plan.shots[part.shot_id].duration_s + 1e-3
    overlaps = [
        min(a.end_s, b.end_s) - max(a.start_s, b.start_s)
        for uses in parts.values()
        for a, b in combinations(uses, 2)
    ]
    assert min(overlaps) > 1.0
    assert len(overlaps) > 100


def test_scenes_of_a_source_do_not_overlap() -> None:
    for source in SOURCES.values():
        for a, b in combinations(source.scenes, 2):
            apart = (
                a.box[2] <= b.box[0] or b.box[2] <= a.box[0] or a.box[3] <= b.box[1] or b.box[3] <= a.box[1]
            )
            assert apart or a.span_s[1] <= b.span_s[0] or b.span_s[1] <= a.span_s[0]


@pytest.mark.parametrize("seed", range(20))
def test_cameras_stay_in_their_scene_and_meet_half_way(seed: int) -> None:
    box_px, times_s = (30.0, 20.0, 230.0 + 20 * seed, 220.0), np.linspace(0, 8.0, 50)
    seen = views(draw_camera(np.random.default_rng(seed)), box_px, times_s, 8.0)
    assert seen.shape == (50, 4, 2)
    assert (seen.min(axis=(0, 1)) >= box_px[:2]).all()
    assert (seen.max(axis=(0, 1)) <= box_px[2:]).all()
    assert np.ptp(seen.mean(axis=1), axis=0).max() > 2.0, "the camera moves"
    other = views(draw_camera(np.random.default_rng(seed + 100)), box_px, np.array([4.0]), 8.0)[0]
    low, high = (
        np.maximum(other.min(axis=0), seen[25].min(axis=0)),
        np.minimum(other.max(axis=0), seen[25].max(axis=0)),
    )
    assert np.prod(high - low) > 0.25 * np.prod(np.ptp(other, axis=0))


def test_a_frame_shows_the_middle_of_the_view() -> None:
    square = np.array([[[0.0, 0.0], [150.0, 0.0], [150.0, 100.0], [0.0, 100.0]]])
    for size_px, corner in (((30, 20), (0.0, 0.0)), ((20, 20), (25.0, 0.0)), ((60, 20), (0.0, 25.0))):
        a, b, c, d, e, f, g, h = coefficients(square, size_px)[0]
        np.testing.assert_allclose((c, f), corner, atol=1e-9)
        far = (a * size_px[0] + b * size_px[1] + c, d * size_px[0] + e * size_px[1] + f)
        np.testing.assert_allclose(far, (150 - corner[0], 100 - corner[1]), atol=1e-9)
        np.testing.assert_allclose((g, h), 0.0, atol=1e-12)


def test_exposures_rise_with_brightness() -> None:
    tables = exposures(draw_camera(np.random.default_rng(0)), np.linspace(0, 8, 5))
    assert tables.shape == (5, 768)
    assert (np.diff(tables.reshape(5, 3, 256).astype(int)) >= 0).all()


SHOTS = {
    name: Shot(f"{name}/0", source, scene, 0, 5.0, seed)
    for seed, (name, source, scene) in enumerate(
        [
            ("coffee/cup", "coffee", "cup"),
            ("china/roof", "china", "roof"),
            ("bikes/cyclist", "bikes", "cyclist"),
        ]
    )
}
BY_ID = {shot.shot_id: shot for shot in SHOTS.values()}


def _plan(
    *parts: Part, edits: tuple[tuple[str, str], ...] = (), window_s: tuple[float, float] | None = None
) -> VideoPlan:
    return VideoPlan("x.mp4", parts, (96, 64), 10.0, 23, 0, window_s, edits)  # type: ignore[arg-type]


def test_runs_name_the_frames_of_each_shot() -> None:
    """What a composition shows at a time is what its run says: frame by frame the same pixels."""
    plan = _plan(Part("coffee/cup/0", 1.0, 4.0), Part("bikes/cyclist/0", 0.5, 4.5), window_s=(0.5, 6.0))
    clip, runs = render(plan, BY_ID)
    assert [run.shot_id for run in runs] == ["coffee/cup/0", "bikes/cyclist/0"]
    assert (runs[0].start_s, runs[-1].end_s) == (0.0, 5.5)
    for run in runs:
        numbers = np.arange(round(run.start_s * 10), round(run.end_s * 10))
        times_s = run.shot_start_s + (numbers / 10 - run.start_s)
        np.testing.assert_array_equal(clip.frames[numbers], film(BY_ID[run.shot_id], times_s, (96, 64)))


def test_a_cross_fade_blends_and_its_half_belongs_to_each() -> None:
    parts = (Part("coffee/cup/0", 0.0, 3.0), Part("china/roof/0", 1.0, 4.0, fade_s=1.0))
    clip, runs = render(_plan(*parts), BY_ID)
    assert clip.duration_s == pytest.approx(5.0)
    assert [(run.start_s, run.end_s) for run in runs] == [(0.0, 2.5), (2.5, 5.0)]
    both = [
        film(BY_ID["coffee/cup/0"], np.array([2.5]), (96, 64)),
        film(BY_ID["china/roof/0"], np.array([1.5]), (96, 64)),
    ]
    mean = (both[0].astype(int) + both[1]) / 2
    assert np.abs(clip.frames[25] - mean[0]).max() <= 1.0


def test_runs_follow_edits_of_time() -> None:
    parts = (Part("coffee/cup/0", 0.0, 4.0), Part("china/roof/0", 0.0, 4.0))
    clip, runs = render(_plan(*parts, edits=(("trim", "light"), ("speed", "strong"))), BY_ID)
    assert runs[-1].end_s == pytest.approx(clip.duration_s)
    ratios = [(run.shot_end_s - run.shot_start_s) / (run.end_s - run.start_s) for run in runs]
    assert all(ratio == pytest.approx(ratios[0], rel=0.15) for ratio in ratios)
    assert not 0.7 < ratios[0] < 1.4


def test_matched_stretches_are_mapped_into_both_videos() -> None:
    fast = [Run(2.0, 4.0, "a", 1.0, 5.0)]
    slow = [Run(0.0, 6.0, "b", 0.0, 6.0), Run(6.0, 12.0, "a", 3.0, 9.0)]
    assert matched(fast, slow) == [
        {"query_start_s": 3.0, "query_end_s": 4.0, "target_start_s": 6.0, "target_end_s": 8.0}
    ]
    assert matched(fast, [Run(0.0, 3.0, "a", 4.5, 7.5)]) == [], "half a second is too short"
