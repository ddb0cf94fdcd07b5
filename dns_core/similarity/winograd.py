"""3x3 convolutions of maps with the channels last, by a fourth of the multiplications.

A tile of 4 x 4 outputs is made from 6 x 6 inputs: both are mapped to 36 numbers, where the convolution is a
product of matrices over the channels. In single precision what is lost stays near 1e-6 of the largest output.

Reference: Lavin and Gray, Fast algorithms for convolutional neural networks, CVPR 2016 (arXiv 1509.09308),
section 4.3.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from dns_core.records import Float32Array
from dns_core.similarity.compiled import compiled_loosely
from dns_core.similarity.tile_product import LANES, WIDE, WORD_BYTES, tile_product

TILE = 4
"""Side of a tile of outputs."""
PATCH = TILE + 2
"""Side of the inputs that a tile is made from."""

_POINTS = PATCH * PATCH
# 24 sums stay in the 32 registers of AVX-512, 12 in the 16 of other processors.
_ROWS, _VECTORS = 6, 4 if WIDE else 2
_WIDTH = LANES * _VECTORS
# Tiles whose numbers stay in the second cache together, in whole rows of the product.
BLOCK = 4 * _ROWS

# The map of a row of three weights to six numbers.
_WEIGHTS_TO_POINTS = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)


def weights_at_points(weights: Float32Array) -> Float32Array:
    """Weights for `tiles_of`, of a convolution's ``[out, channels, 3, 3]``; ``out`` is a multiple of 64.

    Returns:
        ``[36, out / width, channels, width]``, where ``width`` columns are multiplied at once.
    """
    exact = weights.astype(np.float64)
    points = np.einsum("pi,ocij,qj->pqoc", _WEIGHTS_TO_POINTS, exact, _WEIGHTS_TO_POINTS)
    points = points.reshape(_POINTS, -1, _WIDTH, weights.shape[1]).swapaxes(2, 3)
    return np.ascontiguousarray(points, dtype=np.float32)


class Room(NamedTuple):
    """Arrays that a convolution needs, and that the next one may use again.

    Attributes:
        points: ``[36, tiles, channels]``.
        products: ``[36, tiles, out]``.
        tiles: ``[tiles, 4, 4, out]``, the outputs.
    """

    points: Float32Array
    products: Float32Array
    tiles: Float32Array


@compiled_loosely
def room_for(n_channels: int, n_out: int) -> Room:
    """Room for a convolution from so many channels to ``n_out``."""
    # One tile more than is used: what belongs to one tile is spread over the sets of the cache.
    return Room(
        np.empty((_POINTS, BLOCK + 1, n_channels), dtype=np.float32),
        np.empty((_POINTS, BLOCK + 1, n_out), dtype=np.float32),
        np.empty((BLOCK, TILE, TILE, n_out), dtype=np.float32),
    )


@cache
def tiles_of(n_channels: int, n_out: int) -> Callable[[Float32Array, Float32Array, int, int, Room], None]:
    """The function that convolves tiles of maps of so many channels; ``n_out`` is a multiple of 64.

    Its arguments: a map ``[H, W, channels]`` with a border of one cell; the `weights_at_points`; the first of
    at most `BLOCK` tiles, counted row by row, and their number; and the `Room` whose tiles it writes.
    """

    @compiled_loosely
    def convolve(image: Float32Array, weights: Float32Array, first: int, count: int, room: Room) -> None:
        in_a_row = (image.shape[1] - 2) // TILE
        for tile in range(count):
            y, x = divmod(first + tile, in_a_row)
            _inputs_to_points(image, (TILE * y, TILE * x), room.points, tile, n_channels)
        for point in range(_POINTS):
            for column in range(n_out // _WIDTH):
                for row in range(0, count, _ROWS):
                    tile_product(
                        room.points[point, row].ctypes.data,
                        weights[point, column].ctypes.data,
                        room.products[point, row].ctypes.data + column * _WIDTH * WORD_BYTES,
                        (_ROWS, _VECTORS, n_channels),
                        (n_channels, _WIDTH, n_out),
                        False,
                    )
        for tile in range(count):
            _points_to_outputs(room.products, room.tiles, tile, n_out)

    return convolve


@compiled_loosely
def _inputs_to_points(
    image: Float32Array, corner: tuple[int, int], points: Float32Array, tile: int, n: int
) -> None:
    """Transform a patch of ``image`` to ``points[:, tile]``: along the rows, then along the columns.

    LLVM vectorises this only where callers give a constant ``n``, and where each of the places that a turn
    writes to stays apart from the others in all turns of the outer loop.
    """
    top, left = corner
    half = np.empty((PATCH, PATCH, n), dtype=np.float32)
    for y in range(PATCH):
        for c in range(n):
            z, a, b = image[top + y, left, c], image[top + y, left + 1, c], image[top + y, left + 2, c]
            d, e, f = image[top + y, left + 3, c], image[top + y, left + 4, c], image[top + y, left + 5, c]
            half[0, y, c] = np.float32(4) * z - np.float32(5) * b + e
            half[1, y, c] = (d + e) - np.float32(4) * (a + b)
            half[2, y, c] = (e - d) + np.float32(4) * (a - b)
            half[3, y, c] = (e - b) + np.float32(2) * (d - a)
            half[4, y, c] = (e - b) - np.float32(2) * (d - a)
            half[5, y, c] = np.float32(4) * a - np.float32(5) * d + f
    for x in range(PATCH):
        for c in range(n):
            z, a, b = half[x, 0, c], half[x, 1, c], half[x, 2, c]
            d, e, f = half[x, 3, c], half[x, 4, c], half[x, 5, c]
            points[x, tile, c] = np.float32(4) * z - np.float32(5) * b + e
            points[PATCH + x, tile, c] = (d + e) - np.float32(4) * (a + b)
            points[2 * PATCH + x, tile, c] = (e - d) + np.float32(4) * (a - b)
            points[3 * PATCH + x, tile, c] = (e - b) + np.float32(2) * (d - a)
            points[4 * PATCH + x, tile, c] = (e - b) - np.float32(2) * (d - a)
            points[5 * PATCH + x, tile, c] = np.float32(4) * a - np.float32(5) * d + f


@compiled_loosely
def _points_to_outputs(points: Float32Array, out: Float32Array, tile: int, n: int) -> None:
    """Transform ``points[:, tile]`` back to ``out[tile]``."""
    half = np.empty((TILE, PATCH, n), dtype=np.float32)
    for y in range(PATCH):
        row = PATCH * y
        for c in range(n):
            z, a, b = points[row, tile, c], points[row + 1, tile, c], points[row + 2, tile, c]
            d, e, f = points[row + 3, tile, c], points[row + 4, tile, c], points[row + 5, tile, c]
            half[0, y, c] = z + (a + b) + (d + e)
            half[1, y, c] = (a - b) + np.float32(2) * (d - e)
            half[2, y, c] = (a + b) + np.float32(4) * (d + e)
            half[3, y, c] = (a - b) + np.float32(8) * (d - e) + f
    for x in range(TILE):
        for c in range(n):
            z, a, b = half[x, 0, c], half[x, 1, c], half[x, 2, c]
            d, e, f = half[x, 3, c], half[x, 4, c], half[x, 5, c]
            out[tile, 0, x, c] = z + (a + b) + (d + e)
            out[tile, 1, x, c] = (a - b) + np.float32(2) * (d - e)
            out[tile, 2, x, c] = (a + b) + np.float32(4) * (d + e)
            out[tile, 3, x, c] = (a - b) + np.float32(8) * (d - e) + f
