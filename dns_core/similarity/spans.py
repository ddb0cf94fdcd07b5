"""One query compared with many stretches of a row of frames, on several threads."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dns_core.records import Float32Array, Int64Array
from dns_core.similarity.threads import side_by_side

Fill = Callable[[npt.NDArray[Any], npt.NDArray[Any], Int64Array, Float32Array], None]
"""Writes the matrices of a query with all spans of frames, one after the other, row by row."""


def matrices_of_spans(
    fill: Fill, query: npt.NDArray[Any], frames: npt.NDArray[Any], spans: Int64Array, *, threads: int
) -> list[Float32Array]:
    """What ``fill`` writes of each span, on so many threads; it must run without the interpreter's lock.

    Args:
        fill: compiled.
        query: ``[Tq, ...]``.
        frames: ``[N, ...]`` of all targets one after the other, for example a memory map.
        spans: ``[K, 2]`` first frame and end (exclusive) of each target; they may come in any order, overlap
            and repeat.
        threads: at least 1.

    Returns:
        K matrices ``[Tq, Tt]``, views of one array.

    Raises:
        ValueError: a span is not within ``frames``.
    """
    spans = np.ascontiguousarray(spans, dtype=np.int64).reshape(-1, 2)
    starts, lengths = spans[:, 0], spans[:, 1] - spans[:, 0]
    if np.any(starts < 0) or np.any(lengths < 0) or np.any(spans[:, 1] > frames.shape[0]):
        raise ValueError(f"spans must lie within the {frames.shape[0]} frames")
    cells = np.concatenate([[0], np.cumsum(lengths * query.shape[0])])
    out = np.empty(int(cells[-1]), dtype=np.float32)
    query = np.ascontiguousarray(query)
    parts = _balanced(cells, threads)
    side_by_side([partial(fill, query, frames, spans[a:b], out[cells[a] : cells[b]]) for a, b in parts])
    shapes = [(query.shape[0], int(length)) for length in lengths]
    return [out[a:b].reshape(shape) for a, b, shape in zip(cells[:-1], cells[1:], shapes, strict=True)]


def _balanced(cells: Int64Array, n_parts: int) -> list[tuple[int, int]]:
    """Ranges of targets with about equal numbers of cells, none empty unless there is no target."""
    goals = np.linspace(0, cells[-1], n_parts + 1)[1:-1]
    cuts = np.unique(np.concatenate([[0], np.searchsorted(cells, goals), [len(cells) - 1]]))
    if len(cuts) < 2:
        return [(0, len(cells) - 1)]
    return [(int(a), int(b)) for a, b in itertools.pairwise(cuts)]
