"""Clips and the segments that follow from their source times."""

import numpy as np
import pytest

from dns_core.video import Clip, SourceSegment, other_segments, source_segments

NAN = float("nan")


def clip_of(times_s: list[float], fps: float = 2.0) -> Clip:
    return Clip(np.zeros((len(times_s), 4, 4, 3), np.uint8), fps, np.array(times_s))


def test_a_run_is_a_segment() -> None:
    assert source_segments(clip_of([NAN, 5.0, 5.5, 6.0, NAN, NAN])) == (SourceSegment(0.5, 2.0, 5.0, 6.5),)


def test_runs_speeds_and_single_frames() -> None:
    clip = clip_of([0.0, 1.0, 2.0, NAN, 7.0])  # twice as fast, then one frame
    assert source_segments(clip) == (SourceSegment(0.0, 1.5, 0.0, 3.0), SourceSegment(2.0, 2.5, 7.0, 7.5))


def test_a_step_back_starts_a_new_segment() -> None:
    assert source_segments(clip_of([3.0, 3.5, 0.0, 0.5])) == (
        SourceSegment(0.0, 1.0, 3.0, 4.0),
        SourceSegment(1.0, 2.0, 0.0, 1.0),
    )


def test_a_still_lasts_as_long_as_a_frame() -> None:
    assert source_segments(clip_of([4.0, 4.0])) == (SourceSegment(0.0, 1.0, 4.0, 4.5),)


def test_nothing_shown_is_no_segment() -> None:
    clip = clip_of([NAN, NAN])
    assert source_segments(clip) == ()
    assert other_segments(clip) == ()


@pytest.mark.parametrize(
    ("frames", "fps", "times_s"),
    [
        (np.zeros((0, 4, 4, 3), np.uint8), 1.0, np.zeros(0)),
        (np.zeros((2, 4, 4), np.uint8), 1.0, np.zeros(2)),
        (np.zeros((2, 4, 4, 3), np.uint8), 1.0, np.zeros(3)),
        (np.zeros((2, 4, 4, 3), np.uint8), 0.0, np.zeros(2)),
    ],
)
def test_a_clip_that_contradicts_itself_is_refused(frames: object, fps: float, times_s: object) -> None:
    with pytest.raises(ValueError, match=r"frames|fps"):
        Clip(frames, fps, times_s)  # type: ignore[arg-type]
