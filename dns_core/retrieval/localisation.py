"""Which stretches of two videos show the same, in seconds.

It works on the frame-frame matrix before the comparator, at the full resolution of sampled frames. What
finds the matching cells is exchangeable (`PathFinder`): `temporal_network`, the default, or
`local_alignments`; ``dns benchmark run`` compares the two.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from dns_core.records import Float32Array, Float64Array, Int64Array, Segment
from dns_core.retrieval.temporal_network import temporal_network

T = TypeVar("T")

PathFinder = Callable[[Float32Array, float, int], list[Int64Array]]
"""Cells ``[Tq, Tt]``, a threshold and the least frames of a match to paths ``[N, 2]``, the best first."""

# Frames that a segment spans in either video, where the videos are that long.
_MIN_FRAMES = 3
# Shifts of a path in the target that count as equally good, and how many frames are tried.
_PLATEAU = 0.1
_MAX_SHIFT = 4
_ONE_FRAME_PERIOD_S = 1.0
# Pieces of one match, cut by the border of a chunk, may be this far off a common line.
_PIECE_TOLERANCE = 0.1


def matched_segments(
    matrix: Float32Array,
    query_times_s: Float64Array,
    target_times_s: Float64Array,
    *,
    threshold: float,
    finder: PathFinder = temporal_network,
) -> tuple[Segment, ...]:
    """Matched segments, by start in the query, then in the target.

    A segment reaches half a sampling period beyond its first and last matched frames, since what they show
    began somewhere after the frame before and ended before the next one. At the first frame of a video it
    begins there, and at the last it ends a period later, with the video (of a video of one frame the period
    is taken to be a second). Two segments may share a stretch of
    one video, where it is repeated in the other; of two that share more than half of the smaller one in
    both videos only the better is kept. A segment spans at least 3 frames in both videos, or all frames
    of a video that has fewer.

    Args:
        matrix: ``[Tq, Tt]`` similarity of frames, in [-1, 1].
        query_times_s: ``[Tq]`` increasing.
        target_times_s: ``[Tt]`` increasing.
        threshold: similarity from which frames count as showing the same.
        finder: of the paths that are measured.
    """
    if not matrix.size:
        return ()
    cells = np.ascontiguousarray(matrix, dtype=np.float32)
    paths = finder(cells, float(threshold), min(_MIN_FRAMES, *cells.shape))
    segments = [_segment(path, cells, query_times_s, target_times_s) for path in paths]
    kept: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (-s.score, _place(s))):
        if segment.score >= threshold and not any(_same_place(segment, better) for better in kept):
            kept.append(segment)
    return tuple(sorted(kept, key=_place))


def alignment_paths(matrix: Float32Array, *, threshold: float) -> tuple[Int64Array, ...]:
    """Cells ``[N, 2]`` (query frame, target frame) along which two videos match, the best path first.

    They are the paths that `matched_segments` measures; of two that cover the same both are given.

    Args:
        matrix: as for `matched_segments`.
        threshold: as for `matched_segments`.
    """
    if not matrix.size:
        return ()
    cells = np.ascontiguousarray(matrix, dtype=np.float32)
    paths = temporal_network(cells, float(threshold), min(_MIN_FRAMES, *cells.shape))
    return tuple(path for path in paths if cells[path[:, 0], path[:, 1]].mean() >= threshold)


def path_points(
    path: Int64Array, matrix: Float32Array, query_times_s: Float64Array, target_times_s: Float64Array
) -> Float64Array:
    """``[N, 2]`` seconds (query, target) along a path, in the place and from end to end of its segment.

    Args:
        path: as `alignment_paths` returns.
        matrix: that it lies in.
        query_times_s: as for `matched_segments`.
        target_times_s: as for `matched_segments`.
    """
    segment = _segment(path, matrix, query_times_s, target_times_s)
    shift_s = _plateau_centre(path, matrix) * sampling_period_s(target_times_s)
    inner = np.stack([query_times_s[path[:, 0]], target_times_s[path[:, 1]] + shift_s], axis=1)
    first = (segment.query_start_s, segment.target_start_s)
    last = (segment.query_end_s, segment.target_end_s)
    return np.concatenate([[first], inner, [last]])


def pair_threshold(matrix: Float32Array, floor: float) -> float:
    """Similarity from which frames of this pair match: ``floor``, or more where the videos are alike.

    In two videos of the same place every frame resembles every other; what matches stands out from that
    level and is more than unrelated videos reach. The threshold is halfway from the typical cell to
    the best ones, but at most three quarters of the best: of a still image all frames match.

    Args:
        matrix: ``[Tq, Tt]`` similarity of frames, in [-1, 1], not empty.
        floor: similarity that unrelated frames rarely reach.
    """
    best = float(np.quantile(matrix.max(axis=1), 0.9))
    level = (float(np.median(matrix)) + best) / 2
    return max(floor, min(level, 0.75 * best))


def above_noise(matrix: Float32Array, floor: float, find: Callable[[float], tuple[T, ...]]) -> tuple[T, ...]:
    """Results of ``find`` at `pair_threshold`, or at ``floor`` where nothing stands out long enough.

    Args:
        matrix: as for `pair_threshold`.
        floor: as for `pair_threshold`.
        find: called with a threshold.
    """
    return find(pair_threshold(matrix, floor)) or find(floor)


def merged_segments(segments: Sequence[Segment], *, gap_s: float) -> tuple[Segment, ...]:
    """The segments with pieces of one match joined: what borders of chunks cut apart.

    A segment continues another if it begins before the other has ended by ``gap_s`` in both videos, and
    lies on the other's line, to a tenth of its length or ``gap_s``. The score is the mean by duration.

    Args:
        segments: of one pair of videos, in any order.
        gap_s: pause between pieces, in seconds, that is bridged.
    """
    merged: list[Segment] = []
    for segment in sorted(segments, key=_place):
        for row, earlier in enumerate(merged):
            if _continues(earlier, segment, gap_s):
                merged[row] = _joined(earlier, segment)
                break
        else:
            merged.append(segment)
    return tuple(sorted(merged, key=_place))


def sampling_period_s(times_s: Float64Array) -> float:
    """Median distance of frames; 1 s for a video of one frame."""
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else _ONE_FRAME_PERIOD_S


def _segment(
    path: Int64Array, cells: Float32Array, query_times_s: Float64Array, target_times_s: Float64Array
) -> Segment:
    shift_s = _plateau_centre(path, cells) * sampling_period_s(target_times_s)
    query_start_s, query_end_s = _reach(query_times_s, path[:, 0], 0.0)
    target_start_s, target_end_s = _reach(target_times_s, path[:, 1], shift_s)
    return Segment(
        query_start_s=query_start_s,
        query_end_s=query_end_s,
        target_start_s=target_start_s,
        target_end_s=target_end_s,
        score=float(cells[path[:, 0], path[:, 1]].mean(dtype=np.float64)),
    )


def _reach(times_s: Float64Array, frames: Int64Array, shift_s: float) -> tuple[float, float]:
    """Start and end in seconds of what ``frames`` in a row show, moved by ``shift_s``."""
    period_s = sampling_period_s(times_s)
    first, last = int(frames[0]), int(frames[-1])
    start_s = float(times_s[first]) + shift_s - (period_s / 2 if first else 0)
    end_s = float(times_s[last]) + shift_s + (period_s / 2 if last < len(times_s) - 1 else period_s)
    return start_s, end_s


def _same_place(segment: Segment, other: Segment) -> bool:
    """Whether two segments share more than half of the shorter one in both videos."""
    for axis in ("query", "target"):
        starts, ends = zip(
            *((getattr(s, f"{axis}_start_s"), getattr(s, f"{axis}_end_s")) for s in (segment, other)),
            strict=True,
        )
        shorter = min(end - start for start, end in zip(starts, ends, strict=True))
        if 2 * (min(ends) - max(starts)) <= shorter:
            return False
    return True


def _plateau_centre(path: Int64Array, cells: Float32Array) -> float:
    """Frames by which the path lies off the middle of the shifts that match it about as well.

    Under a slow camera neighbouring frames look alike and the best shift is a matter of noise; the
    middle of the shifts within a tenth of the best one's lead over the typical cell is not.
    """
    n_target = cells.shape[1]

    def mean_at(shift: int) -> float:
        columns = path[:, 1] + shift
        inside = columns[0] >= 0 and columns[-1] < n_target
        return float(cells[path[:, 0], columns].mean()) if inside else -np.inf

    best = mean_at(0)
    limit = best - _PLATEAU * (best - float(np.median(cells)))
    reach = []
    for direction in (-1, 1):
        steps = 0
        while steps < _MAX_SHIFT and mean_at(direction * (steps + 1)) >= limit:
            steps += 1
        reach.append(direction * steps)
    return sum(reach) / 2


def _place(segment: Segment) -> tuple[float, float, float, float]:
    return segment.query_start_s, segment.target_start_s, segment.query_end_s, segment.target_end_s


def _continues(earlier: Segment, later: Segment, gap_s: float) -> bool:
    duration_s = earlier.query_end_s - earlier.query_start_s
    speed = (earlier.target_end_s - earlier.target_start_s) / duration_s
    expected_s = earlier.target_start_s + speed * (later.query_start_s - earlier.query_start_s)
    return (
        later.query_start_s <= earlier.query_end_s + gap_s
        and later.target_start_s <= earlier.target_end_s + gap_s
        and abs(later.target_start_s - expected_s) <= max(gap_s, _PIECE_TOLERANCE * duration_s)
    )


def _joined(earlier: Segment, later: Segment) -> Segment:
    weights = [s.query_end_s - s.query_start_s for s in (earlier, later)]
    return Segment(
        query_start_s=min(earlier.query_start_s, later.query_start_s),
        query_end_s=max(earlier.query_end_s, later.query_end_s),
        target_start_s=min(earlier.target_start_s, later.target_start_s),
        target_end_s=max(earlier.target_end_s, later.target_end_s),
        score=float(np.average([earlier.score, later.score], weights=weights)),
    )
