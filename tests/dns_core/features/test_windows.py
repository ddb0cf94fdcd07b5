"""Windows in pictures, and what is followed of them through a video."""

import numpy as np
import pytest

from dns_core.features.panes import WindowPanes
from dns_core.features.windows import Window, cut_out, find_windows
from dns_core.records import Float32Array, UInt8Array, pane_spans

SIDE = 224
HALVES = [Window(0, 0, 0.5, 1), Window(0.5, 0, 1, 1)]
QUARTERS = [Window(x, y, x + 0.5, y + 0.5) for x in (0.0, 0.5) for y in (0.0, 0.5)]
THIRDS = [Window(x / 3, y / 3, (x + 1) / 3, (y + 1) / 3) for x in range(3) for y in range(3)]
INSET = [Window(0.2, 0.35, 0.7, 0.85)]


def scene(seed: int, n_frames: int = 16) -> UInt8Array:
    """A camera that moves over soft blotches."""
    rng = np.random.default_rng(seed)
    blotches = np.kron(rng.integers(0, 256, (40, 40, 3)), np.ones((16, 16, 1)))
    for axis in (0, 1):
        blotches = np.mean([np.roll(blotches, by, axis) for by in range(-8, 9)], axis=0)
    places = [(100 + 4 * k, 60 + 6 * k) for k in range(n_frames)]
    return np.stack([blotches[y : y + SIDE, x : x + SIDE] for y, x in places]).astype(np.uint8)


def composed(windows: list[Window], *, seed: int = 0, n_frames: int = 16) -> UInt8Array:
    frames = scene(seed, n_frames)
    for number, window in enumerate(windows, start=seed + 1):
        left, top, right, bottom = (round(edge * SIDE) for edge in window)
        inside = scene(number, n_frames)[:, : bottom - top, : right - left]
        frames[:, top:bottom, left:right] = inside
    return frames


@pytest.mark.parametrize("windows", [HALVES, QUARTERS, THIRDS, INSET])
def test_every_picture_of_a_composed_frame_is_found_once(windows: list[Window]) -> None:
    found = find_windows(composed(windows))
    assert len(found) == len(windows)
    for window in windows:
        assert max(window.overlap(other) for other in found) > 0.9


def test_a_plain_picture_has_no_window() -> None:
    assert find_windows(scene(3)) == []
    assert find_windows(scene(3)[:, :64, :64]) == []


def test_what_does_not_move_is_no_window() -> None:
    frames = composed(INSET)
    left, top, right, bottom = (round(edge * SIDE) for edge in INSET[0])
    frames[:, top:bottom, left:right] = frames[0, top:bottom, left:right]
    assert find_windows(frames) == []


def test_a_window_is_cut_out_at_the_size_of_the_frame() -> None:
    frames = composed(INSET)
    inside = cut_out(frames, INSET[0])
    assert inside.shape == frames.shape
    assert np.abs(inside[:, ::2, ::2].astype(int) - scene(1)[:, :112, :112]).mean() < 3


def _means(frames: UInt8Array) -> Float32Array:
    return np.asarray(frames.mean(axis=(1, 2), dtype=np.float32)[:, None, :])


def _panes_of(frames: UInt8Array, sizes: list[int]) -> list[list[float]]:
    panes, start = WindowPanes(_means), 0
    times_s = np.arange(len(frames)) / 2
    for size in sizes:
        panes.add(frames[start : start + size], times_s[start : start + size])
        start += size
    described = list(panes.described())
    assert all(len(regions) == len(times) for regions, times in described)
    if not described:
        return []
    joined = np.concatenate([times for _, times in described])
    return [joined[first:last].tolist() for first, last in pane_spans(joined)]


def test_windows_are_followed_from_batch_to_batch() -> None:
    frames = composed(QUARTERS, n_frames=20)
    times = (np.arange(20) / 2).tolist()
    assert _panes_of(frames, [8, 8, 4]) == [times] * 4


def test_too_few_frames_have_the_windows_of_those_before() -> None:
    frames = composed(INSET, n_frames=18)
    assert _panes_of(frames, [16, 2]) == [(np.arange(18) / 2).tolist()]
    assert _panes_of(frames[:3], [3]) == []


def test_a_window_that_ends_leaves_its_pane_to_the_next_one() -> None:
    elsewhere = [Window(0.45, 0.1, 0.95, 0.6)]
    frames = np.concatenate([composed(INSET, n_frames=8), scene(9, 8), composed(elsewhere, n_frames=8)])
    (times,) = _panes_of(frames, [8, 8, 8])
    assert times == [*np.arange(8) / 2, *np.arange(16, 24) / 2]
