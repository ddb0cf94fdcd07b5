"""The comparator on processors: one pair after the other at its own size, with nothing padded.

What `Comparator` computes where padding is by zeros and windows need not be full, to rounding: scores move by
less than 1e-5. All that belongs to a pair stays in the caches, and the two large convolutions are Winograd's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from dns_core.records import Float32Array, Int64Array
from dns_core.similarity.compiled import compiled_loosely
from dns_core.similarity.tile_product import LANES, WORD_BYTES, tile_product
from dns_core.similarity.winograd import BLOCK, TILE, Room, room_for, tiles_of, weights_at_points

_LAYERS = ("conv1", "conv2", "conv3", "fconv")
_FIRST, _SECOND, _THIRD = 32, 64, 128
_convolve_second, _convolve_third = tiles_of(_FIRST, _SECOND), tiles_of(_SECOND, _THIRD)
# Rows and vectors of a product of the first layer: as many sums as any processor has registers for.
_ROWS, _VECTORS = 6, 2


class ComparatorWeights(NamedTuple):
    """A comparator's weights as the kernel reads them.

    Attributes:
        first: ``[9, 32]`` of the first convolution, column by column.
        second: from 32 channels to 64, see `weights_at_points`.
        third: from 64 to 128, likewise.
        last: ``[128]`` of the 1x1 convolution.
        biases: ``[32]``, ``[64]``, ``[128]`` and ``[1]``, by layer.
    """

    first: Float32Array
    second: Float32Array
    third: Float32Array
    last: Float32Array
    biases: tuple[Float32Array, ...]

    @classmethod
    def of(cls, weights: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Copies of the weights of a comparator that pads by zeros and drops no window.

        Args:
            weights: by the names of `dns_core.similarity.comparator.Comparator`, as ``conv1.weight``.
        """
        kernels, biases = (
            [np.array(weights[f"{layer}.{kind}"], dtype=np.float32) for layer in _LAYERS]
            for kind in ("weight", "bias")
        )
        first = np.ascontiguousarray(kernels[0][:, 0].transpose(2, 1, 0).reshape(-1, _FIRST))
        second, third = weights_at_points(kernels[1]), weights_at_points(kernels[2])
        return cls(first, second, third, kernels[3].reshape(-1), tuple(biases))


def comparator_scores(
    weights: ComparatorWeights, matrices: Sequence[Float32Array], *, partial: bool = False
) -> Float32Array:
    """``[K]`` Chamfer similarities in [-1, 1] of what the comparator makes of each matrix.

    On one thread, without the interpreter's lock.

    Args:
        weights: of the comparator.
        matrices: ``[Tq, Tt]`` each, at least one frame by one.
        partial: the better of both directions (see `PairNetwork`).
    """
    forth, back, _ = _compared(weights, matrices).T
    scores: Float32Array = np.maximum(forth, back) if partial else forth
    return scores


def comparator_means(weights: ComparatorWeights, matrices: Sequence[Float32Array]) -> Float32Array:
    """``[K]`` means of the windows that the comparator makes of each matrix, unbounded.

    Args:
        weights: of the comparator.
        matrices: as for `comparator_scores`.
    """
    return _compared(weights, matrices)[:, 2]


def _compared(weights: ComparatorWeights, matrices: Sequence[Float32Array]) -> Float32Array:
    """``[K, 3]``: the Chamfer similarities of rows and of columns, and the mean of the windows."""
    found: Float32Array = np.empty((len(matrices), 3), dtype=np.float32)
    if matrices:
        cells = np.concatenate([matrix.reshape(-1) for matrix in matrices])
        shapes = np.array([matrix.shape for matrix in matrices], dtype=np.int64)
        _compare(cells, shapes, weights, found)
    return found


@compiled_loosely
def _compare(
    cells: Float32Array,
    shapes: Int64Array,
    weights: ComparatorWeights,
    found: Float32Array,
) -> None:
    """Write the numbers of each of the matrices that lie one after the other in ``cells``."""
    # Made once: what is given back to the system costs more to get again than to fill.
    half = _halved((shapes[:, 0].max(), shapes[:, 1].max()))
    first = np.empty(_n_cells(half) * _FIRST, dtype=np.float32)
    second = np.empty(_n_cells(_halved(half)) * _SECOND, dtype=np.float32)
    rooms = room_for(_FIRST, _SECOND), room_for(_SECOND, _THIRD)
    begin = 0
    for k in range(len(shapes)):
        shape = shapes[k, 0], shapes[k, 1]
        end = begin + shape[0] * shape[1]
        half, quarter = _halved(shape), _halved(_halved(shape))
        image, pooled = _blank(first, half, _FIRST), _blank(second, quarter, _SECOND)
        _first_layer(cells[begin:end].reshape(shape), weights, image)
        _second_layer(image, half, weights, rooms[0], pooled)
        found[k, 0], found[k, 1], found[k, 2] = _third_layer(pooled, quarter, weights, rooms[1])
        begin = end


@compiled_loosely
def _halved(shape: tuple[int, int]) -> tuple[int, int]:
    return (shape[0] + 1) // 2, (shape[1] + 1) // 2


@compiled_loosely
def _in_tiles(shape: tuple[int, int]) -> tuple[int, int]:
    return (shape[0] + TILE - 1) // TILE, (shape[1] + TILE - 1) // TILE


@compiled_loosely
def _n_cells(shape: tuple[int, int]) -> int:
    """Cells of a map that is completed to whole tiles, within a border of one cell."""
    rows, columns = _in_tiles(shape)
    return (TILE * rows + 2) * (TILE * columns + 2)


@compiled_loosely
def _blank(room: Float32Array, shape: tuple[int, int], n_channels: int) -> Float32Array:
    """A map of zeros, see `_n_cells`, at the beginning of ``room``."""
    blank = room[: _n_cells(shape) * n_channels]
    blank[:] = 0
    return blank.reshape(-1, TILE * _in_tiles(shape)[1] + 2, n_channels)


@compiled_loosely
def _first_layer(matrix: Float32Array, weights: ComparatorWeights, out: Float32Array) -> None:
    """Convolve, pool and rectify into ``out [Tq / 2, Tt / 2, 32]``, a `_blank`."""
    height, width = matrix.shape
    # Three cells that lie under one another; three such columns are what 3 x 3 weights see.
    columns = np.zeros((width + 2 + _ROWS, 3), dtype=np.float32)
    products = np.empty((2, width + _ROWS, _FIRST), dtype=np.float32)
    for y in range(height):
        for x in range(width):
            columns[1 + x, 0] = matrix[y - 1, x] if y > 0 else np.float32(0)
            columns[1 + x, 1] = matrix[y, x]
            columns[1 + x, 2] = matrix[y + 1, x] if y + 1 < height else np.float32(0)
        for x in range(0, width, _ROWS):
            for channel in range(0, _FIRST, _VECTORS * LANES):
                tile_product(
                    columns[x].ctypes.data,
                    weights.first.ctypes.data + channel * WORD_BYTES,
                    products[y % 2, x].ctypes.data + channel * WORD_BYTES,
                    (_ROWS, _VECTORS, 9),
                    (3, _FIRST, _FIRST),
                    False,
                )
        if y % 2 == 1 or y + 1 == height:
            two = products[0, :width], products[y % 2, :width]
            _pool_rows(two, weights.biases[0], out[1 + y // 2], _FIRST)


@compiled_loosely
def _pool_rows(
    rows: tuple[Float32Array, Float32Array], bias: Float32Array, out: Float32Array, n: int
) -> None:
    """Write the largest of four neighbours, rectified, to ``out`` from its second cell on.

    LLVM vectorises this only where callers give a constant number ``n`` of channels.
    """
    upper, lower = rows
    for x in range((len(upper) + 1) // 2):
        one, other = 2 * x, min(2 * x + 1, len(upper) - 1)
        for c in range(n):
            largest = max(upper[one, c], upper[other, c], lower[one, c], lower[other, c])
            out[1 + x, c] = max(largest + bias[c], np.float32(0))


@compiled_loosely
def _second_layer(
    image: Float32Array, shape: tuple[int, int], weights: ComparatorWeights, room: Room, out: Float32Array
) -> None:
    """Likewise from a map of ``shape`` into ``out [Tq / 4, Tt / 4, 64]``."""
    rows, in_a_row = _in_tiles(shape)
    for begin in range(0, rows * in_a_row, BLOCK):
        count = min(BLOCK, rows * in_a_row - begin)
        _convolve_second(image, weights.second, begin, count, room)
        for tile in range(count):
            y, x = divmod(begin + tile, in_a_row)
            there = min(TILE, shape[0] - TILE * y), min(TILE, shape[1] - TILE * x)
            for i in range(0, there[0], 2):
                below = min(i + 1, there[0] - 1)
                upper, lower = room.tiles[tile, i, : there[1]], room.tiles[tile, below, : there[1]]
                _pool_rows((upper, lower), weights.biases[1], out[1 + 2 * y + i // 2, 2 * x :], _SECOND)


@compiled_loosely
def _third_layer(
    image: Float32Array, shape: tuple[int, int], weights: ComparatorWeights, room: Room
) -> tuple[float, float, float]:
    """The Chamfer similarities, from rows and from columns, of the bounded windows of a map of ``shape``.

    The third number is the mean of the windows as they are.
    """
    total = 0.0
    best = np.full(shape[0], -1, dtype=np.float32)
    best_column = np.full(shape[1], -1, dtype=np.float32)
    bias, last = weights.biases[2], weights.last
    rows, in_a_row = _in_tiles(shape)
    for begin in range(0, rows * in_a_row, BLOCK):
        count = min(BLOCK, rows * in_a_row - begin)
        _convolve_third(image, weights.third, begin, count, room)
        for tile in range(count):
            y, x = divmod(begin + tile, in_a_row)
            for i in range(min(TILE, shape[0] - TILE * y)):
                for j in range(min(TILE, shape[1] - TILE * x)):
                    window = weights.biases[3][0]
                    for c in range(_THIRD):
                        window += max(room.tiles[tile, i, j, c] + bias[c], np.float32(0)) * last[c]
                    total += window
                    window = min(window, np.float32(1))
                    best[TILE * y + i] = max(best[TILE * y + i], window)
                    best_column[TILE * x + j] = max(best_column[TILE * x + j], window)
    return float(best.mean()), float(best_column.mean()), total / (shape[0] * shape[1])
