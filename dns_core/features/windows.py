"""Windows: pictures that are shown inside a picture.

A split screen, a grid, a reaction video, a film on a screen show several pictures at once. Where one ends and
another begins, a straight line stands still while the pictures move. A window is a rectangle that has such a
line, or the edge of the frame, on each of its four sides, and shows a picture that moves.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from dns_core.records import Float32Array, Float64Array, Int64Array, UInt8Array
from dns_core.similarity.compiled import compiled

MOST_WINDOWS = 9
"""Of a picture: as many as a grid of three by three has."""

_GRID = 112  # lines are looked for at every second pixel of a frame of 224
_LEAST_SIDE, _MOST_SIDE = 28, 100  # a quarter of the frame; what is larger is the frame itself
_LEAST_CHANGE = 3.0  # of brightness across a line, the mean over time, on the scale [0, 255]
_LEAST_RIDGE = 1.5  # change across a line, less the largest change across the columns near it
_LEAST_SUPPORT = 0.8  # share of each side along which a line is seen
_LEAST_MOTION = 0.1  # share of the pixels that change by more than `_MOVED`: panels and test cards do not
_MOVED = 16.0
_LEAST_TEXTURE = 0.05  # share of the pixels that differ from the next one by more than `_TEXTURED`
_TEXTURED = 4.0
_SAME = 0.6  # area shared by two windows of the same picture, over the area of both


class Window(NamedTuple):
    """A rectangle of the frame; edges in [0, 1], from the left and from the top."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Share of the frame."""
        return (self.right - self.left) * (self.bottom - self.top)

    def overlap(self, other: "Window") -> float:
        """Area that two windows share, over the area that they cover together."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(0.0, width) * max(0.0, height)
        return shared / (self.area + other.area - shared)


def find_windows(frames: UInt8Array) -> list[Window]:
    """Windows of frames that follow one another, the surest first.

    A rectangle that a line cuts in two is left out, because its parts are windows themselves. In frames of
    fewer than 112 pixels a side no window is large enough.

    Args:
        frames: RGB ``[N, S, S, 3]``, N at least 1.
    """
    step = frames.shape[1] // _GRID
    if not step:
        return []
    light = _light(frames[:, : step * _GRID, : step * _GRID])
    found = np.array(_rectangles(_lines(light, step), _lines(light.transpose(0, 2, 1), step)))
    kept: list[Window] = []
    if not len(found):
        return kept
    support, area, edges = found[:, 0].round(2), found[:, 1], found[:, 2:] / _GRID
    for row in np.lexsort((-area, -support)):
        window = Window(*map(float, edges[row]))
        if all(window.overlap(other) < _SAME for other in kept) and _shows_film(light, window):
            kept.append(window)
        if len(kept) == MOST_WINDOWS:
            break
    return kept


def cut_out(frames: UInt8Array, window: Window) -> UInt8Array:
    """What frames ``[N, S, S, 3]`` show in a window, scaled to their size."""
    side = frames.shape[1]
    left, top, right, bottom = (round(edge * side) for edge in window)
    inside = np.ascontiguousarray(frames[:, top:bottom, left:right])
    scaled = (Image.fromarray(frame).resize((side, side), Image.Resampling.BILINEAR) for frame in inside)
    return np.stack([np.asarray(frame) for frame in scaled])


@compiled
def _light(frames: UInt8Array) -> Float32Array:
    """Brightness ``[N, H, W]`` in [0, 255]."""
    n_frames, height, width = frames.shape[:3]
    light = np.empty((n_frames, height, width), dtype=np.float32)
    for frame in range(n_frames):
        for row in range(height):
            for column in range(width):
                red, green, blue = frames[frame, row, column]
                light[frame, row, column] = np.float32(int(red) + int(green) + int(blue)) / np.float32(3)
    return light


def _shows_film(light: Float32Array, window: Window) -> bool:
    """Whether what a window shows moves, and is more than a plain surface."""
    left, top, right, bottom = (round(edge * light.shape[1]) for edge in window)
    inside = light[:, top:bottom, left:right]
    moves = inside.max(axis=0) - inside.min(axis=0) > _MOVED
    textured = np.abs(np.diff(inside[len(inside) // 2], axis=1)) > _TEXTURED
    return bool(moves.mean() >= _LEAST_MOTION and textured.mean() >= _LEAST_TEXTURE)


def _lines(light: Float32Array, step: int) -> Float64Array:
    """``[G + 1, G + 1]``: on how many of the first rows a line stands before each column.

    Args:
        light: brightness ``[N, H, W]``.
        step: pixels between columns of the result.
    """
    change = np.abs(np.diff(light, axis=2)).mean(axis=0)
    width = change.shape[1]
    padded = np.pad(change, ((0, 0), (3, 3)), mode="edge")
    beside = np.maximum.reduce([padded[:, 3 + by : 3 + by + width] for by in (-3, -2, 2, 3)])
    is_line = (change >= _LEAST_CHANGE) & (change - beside >= _LEAST_RIDGE)
    # Between pixels k and k + 1 lies column k + 1; what is off by one pixel counts too.
    lines = np.zeros((len(is_line), width + 2), dtype=bool)
    for by in range(3):
        lines[:, by : by + width] |= is_line
    share = lines[:, ::step].reshape(_GRID, -1, _GRID + 1).mean(axis=1)
    return np.concatenate([np.zeros((1, _GRID + 1)), share.cumsum(axis=0)])


@compiled
def _rectangles(
    upright: Float64Array, level: Float64Array
) -> Sequence[tuple[float, int, int, int, int, int]]:
    """Support, area, left, top, right and bottom of each rectangle with a line on all sides."""
    found = []
    columns, rows = _sides(upright), _sides(level)
    for left in columns:
        for right in columns[columns >= left + _LEAST_SIDE]:
            for top in rows:
                for bottom in rows[rows >= top + _LEAST_SIDE]:
                    if right - left > _MOST_SIDE and bottom - top > _MOST_SIDE:
                        continue
                    support = min(_support(upright, left, top, bottom), _support(upright, right, top, bottom))
                    if support < _LEAST_SUPPORT:
                        continue
                    support = min(support, _support(level, top, left, right))
                    support = min(support, _support(level, bottom, left, right))
                    if support < _LEAST_SUPPORT:
                        continue
                    if _is_cut(upright, left, right, top, bottom) or _is_cut(level, top, bottom, left, right):
                        continue
                    found.append((support, (right - left) * (bottom - top), left, top, right, bottom))
    return found


@compiled
def _sides(lines: Float64Array) -> Int64Array:
    """Where a side may be: at the edges, and where a line is seen along enough of the shortest side."""
    seen = lines[-1] >= _LEAST_SUPPORT * _LEAST_SIDE - 1e-9
    seen[0] = seen[_GRID] = True
    return np.flatnonzero(seen)


@compiled
def _support(lines: Float64Array, at: int, start: int, stop: int) -> float:
    """Share of the way from ``start`` to ``stop`` along which a line is seen; 1 at the frame's edge."""
    if at in (0, _GRID):
        return 1.0
    return float((lines[stop, at] - lines[start, at]) / (stop - start))


@compiled
def _is_cut(lines: Float64Array, first: int, last: int, start: int, stop: int) -> bool:
    """Whether a line runs through the inside of a rectangle from side to side."""
    for at in range(first + _LEAST_SIDE // 2, last - _LEAST_SIDE // 2 + 1):
        if _support(lines, at, start, stop) >= _LEAST_SUPPORT:
            return True
    return False
