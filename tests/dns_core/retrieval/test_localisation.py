from collections.abc import Callable

import numpy as np
import pytest

from dns_core.records import Float32Array, Float64Array, Segment
from dns_core.retrieval.alignment import local_alignments
from dns_core.retrieval.localisation import (
    PathFinder,
    alignment_paths,
    matched_segments,
    merged_segments,
    pair_threshold,
    path_points,
)
from dns_core.retrieval.temporal_network import temporal_network

THRESHOLD = 0.5


def noise(shape: tuple[int, int], seed: int = 0) -> Float32Array:
    """What unrelated videos look like: about 1 cell in 200 over the threshold."""
    return np.random.default_rng(seed).normal(0.2, 0.115, shape).astype(np.float32)


def seconds(n: int, period_s: float = 1.0) -> Float64Array:
    return np.arange(n, dtype=np.float64) * period_s


def with_match(
    matrix: Float32Array, query: tuple[int, int], target: tuple[int, int], seed: int = 1
) -> Float32Array:
    """Frames ``query`` shown at even speed in frames ``target`` (ends exclusive), at similarity .8."""
    n_query, n_target = query[1] - query[0], target[1] - target[0]
    rng = np.random.default_rng(seed)
    for step in range(max(n_query, n_target)):
        part = (step + 0.5) / max(n_query, n_target)
        q, t = query[0] + int(part * n_query), target[0] + int(part * n_target)
        matrix[q, t] = rng.normal(0.8, 0.05)
    return matrix


Place = tuple[float, float, float, float]
Found = Callable[[Float32Array], list[Place]]


@pytest.fixture(params=[temporal_network, local_alignments], ids=lambda finder: str(finder.__name__))
def found(request: pytest.FixtureRequest) -> Found:
    """Segments of a matrix of one frame a second, by either way to find paths."""
    finder: PathFinder = request.param

    def places(matrix: Float32Array) -> list[Place]:
        times_s = (seconds(n) for n in matrix.shape)
        segments = matched_segments(matrix, *times_s, threshold=THRESHOLD, finder=finder)
        return [(s.query_start_s, s.query_end_s, s.target_start_s, s.target_end_s) for s in segments]

    return places


def near(segment: Place, expected: Place, by: float = 2.0) -> bool:
    return max(abs(a - b) for a, b in zip(segment, expected, strict=True)) <= by


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("query", "target"),
    [
        ((10, 30), (50, 70)),  # the same speed
        ((10, 40), (50, 65)),  # the target is twice as fast
        ((10, 25), (50, 80)),  # half as fast
        ((0, 60), (10, 70)),  # the whole query
        ((55, 60), (95, 100)),  # a short one in the corner
    ],
)
def test_a_match_in_noise_is_found_where_it_is(
    found: Found, query: tuple[int, int], target: tuple[int, int], seed: int
) -> None:
    matrix = with_match(noise((60, 100), seed), query, target, seed)
    segments = found(matrix)
    assert len(segments) == 1
    assert near(segments[0], (*query, *target))


def test_noise_alone_matches_nothing(found: Found) -> None:
    assert [found(noise((100, 120), seed)) for seed in range(20)] == [[]] * 20


def test_two_matches_are_two_segments(found: Found) -> None:
    matrix = with_match(with_match(noise((60, 100)), (5, 20), (60, 75)), (30, 50), (10, 30))
    segments = found(matrix)
    assert len(segments) == 2
    assert near(segments[0], (5, 20, 60, 75))
    assert near(segments[1], (30, 50, 10, 30))


def test_two_matches_in_order_stay_two_if_other_content_lies_between(found: Found) -> None:
    matrix = with_match(with_match(noise((60, 100)), (0, 15), (0, 15)), (30, 45), (30, 45))
    segments = found(matrix)
    assert [near(s, e) for s, e in zip(segments, [(0, 15, 0, 15), (30, 45, 30, 45)], strict=True)] == [
        True
    ] * 2


def test_a_query_repeated_in_the_target_is_found_each_time(found: Found) -> None:
    matrix = with_match(with_match(noise((20, 100)), (0, 20), (10, 30)), (0, 20), (60, 80))
    segments = found(matrix)
    assert len(segments) == 2
    assert near(segments[0], (0, 20, 10, 30))
    assert near(segments[1], (0, 20, 60, 80))


def test_a_flash_does_not_cut_a_match(found: Found) -> None:
    matrix = with_match(noise((60, 100)), (10, 40), (50, 80))
    matrix[24:26] = 0.0
    segments = found(matrix)
    assert len(segments) == 1
    assert near(segments[0], (10, 40, 50, 80))


def test_a_still_picture_is_found_wherever_it_is_shown(found: Found) -> None:
    matrix = np.zeros((30, 40), dtype=np.float32)
    matrix[5:15, 10:35] = 0.9
    places = found(matrix)
    starts, ends = np.min(places, axis=0), np.max(places, axis=0)
    assert near((starts[0], ends[1], starts[2], ends[3]), (4.5, 14.5, 9.5, 34.5))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_very_short_videos_match(found: Found, n: int) -> None:
    assert found(np.eye(n, dtype=np.float32)) == [(0.0, float(n), 0.0, float(n))]
    inside = np.zeros((n, 50), dtype=np.float32)
    inside[np.arange(n), 20 + np.arange(n)] = 1
    assert found(inside) == [(0.0, float(n), 19.5, 19.5 + n)]


def test_one_frame_in_common_is_no_segment_of_long_videos(found: Found) -> None:
    matrix = np.zeros((30, 40), dtype=np.float32)
    matrix[3, 7] = matrix[10, 20:22] = 1
    assert found(matrix) == []


def test_nothing_in_nothing_out(found: Found) -> None:
    assert found(np.empty((0, 5), dtype=np.float32)) == []
    assert found(np.zeros((4, 4), dtype=np.float32)) == []


def test_ends_are_half_a_period_beyond_the_frames_and_the_score_is_their_mean_similarity() -> None:
    matrix = np.zeros((6, 8), dtype=np.float32)
    matrix[[1, 2, 3, 4], [3, 4, 5, 6]] = [0.7, 0.8, 0.9, 1.0]
    query_times_s, target_times_s = 100 + seconds(6, 0.5), seconds(8, 2.0)
    (segment,) = matched_segments(matrix, query_times_s, target_times_s, threshold=THRESHOLD)
    expected = Segment(100.25, 102.25, 5.0, 13.0, segment.score)
    assert segment == expected
    assert segment.score == pytest.approx(0.85)


def test_transposing_the_matrix_swaps_the_sides(found: Found) -> None:
    matrix = with_match(noise((60, 100)), (10, 40), (50, 65))
    swapped = [(t0, t1, q0, q1) for q0, q1, t0, t1 in found(matrix)]
    assert near(found(np.ascontiguousarray(matrix.T))[0], swapped[0], by=1)


def test_pieces_of_one_match_are_joined() -> None:
    pieces = [Segment(0, 16, 20, 36, 0.6), Segment(12, 24, 32, 44, 0.9), Segment(25, 30, 45, 50, 0.9)]
    (whole,) = merged_segments(pieces[::-1], gap_s=2)
    assert (whole.query_start_s, whole.query_end_s) == (0, 30)
    assert (whole.target_start_s, whole.target_end_s) == (20, 50)
    assert 0.6 < whole.score < 0.9


@pytest.mark.parametrize(
    "other",
    [
        Segment(0, 10, 10, 20, 0.9),  # the query again, right after itself
        Segment(14, 20, 14, 20, 0.9),  # later in both, after a pause
        Segment(10, 20, 30, 40, 0.9),  # the query continues, the target jumps
        Segment(5, 15, 0, 10, 0.9),  # another line
    ],
)
def test_other_matches_are_not_joined(other: Segment) -> None:
    first = Segment(0, 10, 0, 10, 0.9)
    assert set(merged_segments([first, other], gap_s=2)) == {first, other}


def test_the_threshold_rises_where_all_frames_resemble_each_other_and_never_falls_under_the_floor() -> None:
    alike = np.full((20, 30), 0.5, dtype=np.float32)
    alike[np.arange(20), np.arange(20)] = 0.9
    assert pair_threshold(alike, 0.2) == pytest.approx(0.75 * 0.9)
    strange = np.zeros((20, 30), dtype=np.float32)
    assert pair_threshold(strange, 0.2) == 0.2
    still = np.full((20, 30), 0.9, dtype=np.float32)
    assert pair_threshold(still, 0.2) < 0.9


def test_a_plateau_of_equal_shifts_is_located_at_its_middle() -> None:
    rows, columns = np.indices((10, 40))
    matrix = np.zeros((10, 40), dtype=np.float32)
    for shift, value in ((10, 0.69), (11, 0.7), (12, 0.69), (13, 0.69)):
        matrix[columns - rows == shift] = value
    (segment,) = matched_segments(matrix, np.arange(10.0), np.arange(40.0), threshold=0.6)
    assert (segment.target_start_s + segment.target_end_s) / 2 == pytest.approx(16.5, abs=0.5)


def test_paths_are_those_that_segments_measure() -> None:
    matrix = with_match(with_match(noise((60, 90)), (5, 25), (10, 30)), (35, 50), (60, 75))
    paths = alignment_paths(matrix, threshold=THRESHOLD)
    segments = matched_segments(matrix, seconds(60), seconds(90), threshold=THRESHOLD)
    assert len(paths) == len(segments) == 2
    for path, segment in zip(sorted(paths, key=lambda p: int(p[0, 0])), segments, strict=True):
        assert (path[0, 0] - 0.5, path[-1, 0] + 0.5) == (segment.query_start_s, segment.query_end_s)
        assert (np.diff(path, axis=0) >= 0).all()
        points = path_points(path, matrix, seconds(60), seconds(90))
        assert points[0].tolist() == [segment.query_start_s, segment.target_start_s]
        assert points[-1].tolist() == [segment.query_end_s, segment.target_end_s]
        assert (np.diff(points, axis=0) >= 0).all()
        assert matrix[path[:, 0], path[:, 1]].mean() == pytest.approx(segment.score)
    assert alignment_paths(np.empty((0, 3), dtype=np.float32), threshold=THRESHOLD) == ()
