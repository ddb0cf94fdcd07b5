import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import CorruptArtefactError, InputError, MismatchError, MissingArtefactError
from dns_core.index import Index, add_videos, build_index, compact_index, open_index, remove_videos
from dns_core.records import QueryResult, VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.index_settings import IndexSettings
from dns_core.retrieval.selection import ByCoarseScore
from dns_core.retrieval.shards import EngineLimits

Videos = dict[str, VideoFeatures]
MakeFeatures = Callable[[str, int], VideoFeatures]
EVERYTHING, NOTHING = Budget(share=1), Budget(share=0)


def ids(result: QueryResult) -> list[str]:
    return [match.video_id for match in result.results]


@pytest.mark.parametrize("fine", ["fine_binary", "fine_attention"])
@pytest.mark.parametrize("name", ["v00", "v05", "v08", "v11"])
def test_a_copy_is_found_first_and_localised(
    index: Index, bundle: Bundle, videos: Videos, fine: str, name: str
) -> None:
    video = videos[name]
    result = Engine(index, bundle, fine=fine).search(video, top_k=1 + 2 * (name == "v05"), budget=EVERYTHING)
    copies = {"v05": ["a copy of v05", "copy of v05", "v05"]}.get(name, [name])
    assert ids(result) == copies
    assert len({match.score for match in result.results}) == 1
    (segment,) = result.results[0].segments
    end_s = float(video.n_frames)
    assert (segment.query_start_s, segment.query_end_s) == (0, end_s)
    assert (segment.target_start_s, segment.target_end_s) == (0, end_s)


def test_an_excerpt_of_a_long_video_is_found_where_it_is(
    index: Index, bundle: Bundle, videos: Videos
) -> None:
    # frames 20 to 30 lie across borders of chunks of 16 frames
    excerpt = videos["v11"].window(20, 30)
    query = VideoFeatures("excerpt", excerpt.regions, excerpt.times_s - 20)
    result = Engine(index, bundle).search(query, top_k=1, budget=Budget(share=0.5))
    assert ids(result) == ["v11"]
    segments = result.results[0].segments
    assert [(s.query_start_s, s.query_end_s, s.target_start_s, s.target_end_s) for s in segments] == [
        (0, 10, 19.5, 29.5)
    ]


def test_an_answer_says_what_was_compared_and_how_long_it_took(
    index: Index, bundle: Bundle, make_features: MakeFeatures
) -> None:
    query = make_features("query", 9)
    result = Engine(index, bundle).search(query, top_k=0, budget=Budget(share=0.25))
    assert result.query == "query"
    assert sorted(ids(result)) == sorted(index.ids)
    assert [match.stage for match in result.results].count("fine") == 4  # a quarter of 14, rounded up
    assert all(match.segments == () for match in result.results)
    assert all(0 < match.score < 1 for match in result.results)
    keys = [(-match.score, match.video_id) for match in result.results]
    assert keys == sorted(keys)
    assert result.coverage == 14 / 16
    assert set(result.timing_ms) == {"coarse", "select", "fine", "localise", "total"}
    parts = [ms for step, ms in result.timing_ms.items() if step != "total"]
    assert sum(parts) <= result.timing_ms["total"]


def test_fine_scores_and_order_are_those_of_single_comparisons(
    index: Index, bundle: Bundle, make_features: MakeFeatures
) -> None:
    """The slow twin: every candidate compared alone, put in order by hand."""
    engine, query = Engine(index, bundle), make_features("query", 37)
    singly = {
        video_id: float(engine.fine_scores(engine.stretches(query), np.array([row]))[0])
        for row, video_id in enumerate(index.ids)
    }
    assert len({round(score, 5) for score in singly.values()}) == 12  # two of the 14 are copies
    expected = sorted(singly, key=lambda video_id: (-round(singly[video_id], 6), video_id))
    result = engine.search(query, top_k=0, budget=EVERYTHING)
    assert ids(result) == expected
    scale = bundle.calibration.scale("fine_binary")
    standing = engine.standing(engine.candidates(query), engine.stretches(query))
    raw = np.array(list(singly.values()))
    wanted = dict(zip(singly, scale.probabilities(raw, standing.level), strict=True))
    for match in result.results:
        assert match.score == pytest.approx(float(wanted[match.video_id]), abs=1e-5)


def test_without_a_budget_the_order_is_that_of_coarse_scores(
    index: Index, bundle: Bundle, make_features: MakeFeatures
) -> None:
    engine, query = Engine(index, bundle), make_features("query", 37)
    candidates = engine.candidates(query)
    expected = sorted(range(14), key=lambda row: (-candidates.scores[row], index.ids[row]))
    result = engine.search(query, top_k=0, budget=NOTHING)
    assert ids(result) == [index.ids[row] for row in expected]
    assert {match.stage for match in result.results} == {"coarse"}


def test_the_policy_decides_what_is_compared_finely(
    index: Index, bundle: Bundle, make_features: MakeFeatures
) -> None:
    query = make_features("query", 9)
    engine = Engine(index, bundle, policy=ByCoarseScore())
    coarse = ids(engine.search(query, top_k=0, budget=NOTHING))
    result = engine.search(query, top_k=0, budget=Budget(share=0.3))
    fine = {match.video_id for match in result.results if match.stage == "fine"}
    assert fine == set(coarse[:5])


def test_a_shortlist_gives_the_answers_of_the_whole_index(
    index: Index, bundle: Bundle, make_features: MakeFeatures
) -> None:
    query = make_features("query", 37)
    budgets = (NOTHING, Budget(share=0.2), Budget(ms=1e6))
    whole = [Engine(index, bundle).search(query, top_k=3, budget=budget) for budget in budgets]
    engine = Engine(index, bundle, limits=EngineLimits(large_index=10, shortlist=40))  # all chunks
    for expected, budget in zip(whole, budgets, strict=True):
        found = engine.search(query, top_k=3, budget=budget)
        assert [(m.video_id, m.stage, m.segments) for m in found.results] == [
            (m.video_id, m.stage, m.segments) for m in expected.results
        ]
        assert [m.score for m in found.results] == pytest.approx([m.score for m in expected.results])


def test_a_shortlist_changes_no_score(index: Index, bundle: Bundle, make_features: MakeFeatures) -> None:
    query = make_features("query", 9)
    engine = Engine(index, bundle, limits=EngineLimits(large_index=10, shortlist=2))
    candidates = engine.candidates(query, shortlisted=True)
    assert len(candidates.rows) == 2
    everything = engine.candidates(query)
    np.testing.assert_array_equal(candidates.scores, everything.scores[candidates.rows])
    np.testing.assert_array_equal(candidates.features, everything.features[candidates.rows])
    nothing = np.full(len(candidates.rows), np.nan, dtype=np.float32)
    unseen = np.full(14, np.nan, dtype=np.float32)
    expected = engine.calibrated(everything, unseen, engine.standing(everything, None))
    found = engine.calibrated(candidates, nothing, engine.standing(candidates, None))
    np.testing.assert_array_equal(found, expected[candidates.rows])
    # the whole index is looked at where a shortlist would not do
    assert len(engine.search(query, top_k=0, budget=NOTHING).results) == 14
    assert len(engine.search(query, top_k=10, budget=Budget(share=0.5)).results) == 10


def test_top_k_cuts_the_same_list(index: Index, bundle: Bundle, make_features: MakeFeatures) -> None:
    engine, query = Engine(index, bundle), make_features("query", 9)
    whole = engine.search(query, top_k=0, budget=Budget(share=0.5))
    for top_k in (1, 5, 14, 100):
        part = engine.search(query, top_k=top_k, budget=Budget(share=0.5))
        assert ids(part) == ids(whole)[:top_k]
    with pytest.raises(InputError):
        engine.search(query, top_k=-1, budget=NOTHING)


def test_time_runs_out_after_a_block(
    index: Index, bundle: Bundle, make_features: MakeFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(index, bundle, limits=EngineLimits(timed_block_cells=1))  # a block is one candidate
    query = make_features("query", 9)
    # each reading of the clock is 10 ms after the one before
    clock = iter(range(1000))
    monkeypatch.setattr("dns_core.retrieval.local_shards.time.perf_counter", lambda: next(clock) / 100)
    for ms, expected in ((1, 1), (10, 1), (25, 3), (10_000, 14)):
        result = engine.search(query, top_k=0, budget=Budget(ms=ms))
        assert [match.stage for match in result.results].count("fine") == expected


def test_blocks_bound_the_memory_and_change_nothing(
    index: Index, bundle: Bundle, make_features: MakeFeatures
) -> None:
    query = make_features("query", 20)
    whole = Engine(index, bundle).search(query, top_k=0, budget=EVERYTHING)
    limits = EngineLimits(block_cells=300)
    parts = Engine(index, bundle, limits=limits).search(query, top_k=0, budget=EVERYTHING)
    assert ids(parts) == ids(whole)
    scores = [[match.score for match in result.results] for result in (parts, whole)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)


def test_answers_do_not_depend_on_how_the_index_came_to_be(
    tmp_path: Path, bundle: Bundle, videos: Videos, make_features: MakeFeatures, index: Index
) -> None:
    queries = [make_features("query", 9), make_features("long query", 37), videos["v05"]]

    def answers(index: Index) -> list[QueryResult]:
        engine = Engine(index, bundle)
        return [
            replace(engine.search(query, top_k=0, budget=budget), timing_ms={}, coverage=1.0)
            for query in queries
            for budget in (NOTHING, Budget(share=0.4), EVERYTHING)
        ]

    encoder = VideoEncoder(bundle, IndexSettings.of(index.manifest))
    records = {name: encoder.encode(video) for name, video in videos.items()}
    names = list(records)
    extra = encoder.encode(make_features("extra", 6))
    build_index(tmp_path, [extra, *(records[name] for name in names[8:])], encoder.origin)
    add_videos(tmp_path, [records[name] for name in names[:8]], models=encoder.origin.models)
    remove_videos(tmp_path, ["extra"])
    assert answers(open_index(tmp_path)) == answers(index)
    compact_index(tmp_path)
    assert answers(open_index(tmp_path)) == answers(index)


def test_a_copy_scores_the_same_where_frames_are_merged(
    tmp_path: Path, bundle: Bundle, videos: Videos
) -> None:
    # Each frame three times, no two of them equal.
    noise = np.random.default_rng(0).normal(scale=0.02, size=(3, *videos["v08"].regions.shape))
    regions = np.concatenate((videos["v08"].regions + noise).swapaxes(0, 1)).astype(np.float32)
    regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
    video = VideoFeatures("slow", regions, np.arange(len(regions), dtype=np.float64))
    encoder = VideoEncoder(bundle, replace(bundle.index_settings, merge_from=0.9))
    build_index(tmp_path, map(encoder.encode, [*videos.values(), video]), encoder.origin)
    index = open_index(tmp_path)
    engine = Engine(index, bundle)
    stored = index.record(index.ids.index("slow")).frames["fine_binary"]
    assert len(np.unique(stored, axis=0)) == videos["v08"].n_frames
    np.testing.assert_array_equal(engine.stretches(video).frames, stored)
    (best,) = engine.search(video, top_k=1, budget=EVERYTHING).results
    assert (best.video_id, len(best.segments)) == ("slow", 1)
    assert best.segments[0].score == pytest.approx(1, abs=1e-6)


def test_an_index_of_other_models_is_refused(index: Index, bundle: Bundle, other_bundle: Bundle) -> None:
    expected, found = other_bundle.fingerprint("coarse"), bundle.fingerprint("coarse")
    with pytest.raises(MismatchError) as caught:
        index.manifest.check_models({"coarse": expected})
    assert str(caught.value) == f"coarse mismatch: expected {expected}, found {found}"
    with pytest.raises(MismatchError, match="mismatch: expected"):
        Engine(index, other_bundle)


def test_a_selector_trained_anew_is_noticed(
    tmp_path: Path, index: Index, bundle: Bundle, other_bundle: Bundle
) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(bundle.folder, mixed)
    shutil.copy(other_bundle.folder / "selector_fine_binary.safetensors", mixed)
    with pytest.raises(MismatchError, match="selector_fine_binary"):
        Engine(index, Bundle.load(mixed))
    Engine(index, Bundle.load(mixed), fine="fine_attention")


def test_a_network_that_the_index_does_not_serve_is_missed(
    tmp_path: Path, bundle: Bundle, videos: Videos
) -> None:
    encoder = VideoEncoder(bundle, replace(bundle.index_settings, fine_networks=("fine_binary",)))
    build_index(tmp_path, [encoder.encode(videos["v05"])], encoder.origin)
    with pytest.raises(MismatchError, match=r"fine_attention mismatch: expected .*, found none"):
        Engine(open_index(tmp_path), bundle, fine="fine_attention")
    with pytest.raises(InputError, match="none of the fine networks"):
        Engine(open_index(tmp_path), bundle, fine="teacher")


def test_an_empty_index_answers_nothing(tmp_path: Path, bundle: Bundle, make_features: MakeFeatures) -> None:
    build_index(tmp_path, [], VideoEncoder(bundle).origin)
    for budget in (NOTHING, EVERYTHING, Budget(ms=5)):
        result = Engine(open_index(tmp_path), bundle).search(make_features("q", 3), budget=budget)
        assert result.results == ()


def test_a_query_without_frames_is_refused(index: Index, bundle: Bundle, make_features: MakeFeatures) -> None:
    with pytest.raises(InputError, match="q has no frame"):
        Engine(index, bundle).search(make_features("q", 0), budget=NOTHING)


def test_an_index_that_does_not_say_how_it_was_cut_is_refused(
    tmp_path: Path, bundle: Bundle, make_features: MakeFeatures
) -> None:
    encoder = VideoEncoder(bundle)
    origin = type(encoder.origin)(encoder.origin.models)
    build_index(tmp_path, [encoder.encode(make_features("a", 3))], origin)
    with pytest.raises(CorruptArtefactError, match="how videos were cut"):
        Engine(open_index(tmp_path), bundle)


def test_models_that_are_not_there_are_missed(tmp_path: Path, index: Index, bundle: Bundle) -> None:
    part = tmp_path / "part"
    shutil.copytree(bundle.folder, part)
    (part / "selector_fine_binary.safetensors").unlink()
    with pytest.raises(MissingArtefactError, match="selector_fine_binary"):
        Engine(index, Bundle.load(part))
