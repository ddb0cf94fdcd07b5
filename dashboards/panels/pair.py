"""Two videos side by side: which stretches are played, how the clocks hang together, and the heat map."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dns_apps.service.schemas import Comparison


@dataclass(frozen=True, slots=True)
class Clip:
    """The stretch of a video that is loaded, in seconds of its own clock."""

    start_s: float
    stop_s: float

    def holds(self, at_s: float) -> bool:
        """Whether a moment lies inside."""
        return self.start_s <= at_s <= self.stop_s


def clip_around(at_s: float, duration_s: float, longest_s: float) -> Clip:
    """A stretch of at most ``longest_s`` that has ``at_s`` in its first third; a short video whole.

    Args:
        at_s: the moment.
        duration_s: of the video; 0 if unknown.
        longest_s: the most that is loaded.
    """
    if 0 < duration_s <= longest_s:
        return Clip(0.0, duration_s)
    start = max(0.0, at_s - longest_s / 3)
    if duration_s:
        start = max(0.0, min(start, duration_s - longest_s))
        return Clip(start, min(duration_s, start + longest_s))
    return Clip(start, start + longest_s)


def similarity_range(comparison: Comparison) -> tuple[float, float]:
    """The darkest and brightest similarity of the heat map: all but the 2% of cells that are lowest."""
    cells = np.array(comparison.matrix, dtype=np.float64)
    if not cells.size:
        return 0.0, 1.0
    low, high = float(np.quantile(cells, 0.02)), float(cells.max())
    return (low, high) if high > low else (low, low + 1e-6)


def heat_map(comparison: Comparison) -> dict[str, Any]:
    """The heat map as the component draws it: one byte a cell in base64, row by row, and both clocks.

    Rows are moments of the query, columns of the target; 0 is `similarity_range`'s low end, 255 its high.
    """
    low, high = similarity_range(comparison)
    cells = np.array(comparison.matrix, dtype=np.float64)
    levels = np.clip(np.rint((cells - low) / (high - low) * 255), 0, 255).astype(np.uint8)
    return {
        "rows": len(comparison.query_times_s),
        "columns": len(comparison.target_times_s),
        "cells": base64.b64encode(levels.tobytes()).decode(),
        "low": low,
        "high": high,
        "queryTimes": list(comparison.query_times_s),
        "targetTimes": list(comparison.target_times_s),
        "paths": [[list(point) for point in path] for path in comparison.paths],
        "segments": _boxes(comparison),
    }


def _boxes(comparison: Comparison) -> Sequence[Sequence[float]]:
    return [[s.query_start_s, s.query_end_s, s.target_start_s, s.target_end_s] for s in comparison.segments]
