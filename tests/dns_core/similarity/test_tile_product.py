import numpy as np
import numpy.typing as npt
import pytest
import torch

from dns_core.similarity.compiled import compiled, processor_has
from dns_core.similarity.tile_product import LANES, WIDE, tile_product

WIDTH = 3 * LANES
DEPTH = 7
# Rows are longer than what is read of them.
LEFT, RIGHT, OUT = DEPTH + 2, WIDTH + 5, WIDTH + 1


@compiled
def multiply(
    left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32], out: npt.NDArray[np.float32]
) -> None:
    a, b, c = left.ctypes.data, right.ctypes.data, out.ctypes.data
    tile_product(a, b, c, (4, 3, DEPTH), (LEFT, RIGHT, OUT), False)


@compiled
def multiply_pairs(
    left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32], out: npt.NDArray[np.float32]
) -> None:
    a, b, c = left.ctypes.data, right.ctypes.data, out.ctypes.data
    tile_product(a, b, c, (4, 3, DEPTH), (LEFT, RIGHT, OUT), True)


def test_a_tile_is_the_product_and_nothing_beside_it_is_written() -> None:
    rng = np.random.default_rng(0)
    left = rng.standard_normal((4, LEFT), dtype=np.float32)
    right = rng.standard_normal((DEPTH, RIGHT), dtype=np.float32)
    out = np.full((4, OUT), 5, dtype=np.float32)
    multiply(left.view(np.uint32), right.view(np.uint32), out)
    np.testing.assert_allclose(out[:, :WIDTH], left[:, :DEPTH] @ right[:, :WIDTH], atol=1e-5)
    np.testing.assert_array_equal(out[:, WIDTH:], 5)


@pytest.mark.skipif(
    not (WIDE and processor_has("avx512bf16")), reason="this processor multiplies no bfloat16"
)
def test_pairs_of_bfloat16_are_multiplied_and_summed_in_single_precision() -> None:
    halves = torch.randn(2, 4, LEFT, 2, generator=torch.Generator().manual_seed(0)).bfloat16()
    left = halves[0].contiguous()
    right = torch.randn(DEPTH, RIGHT, 2, generator=torch.Generator().manual_seed(1)).bfloat16()
    out = np.zeros((4, OUT), dtype=np.float32)
    words = [pairs.view(torch.int32)[..., 0].numpy().view(np.uint32) for pairs in (left, right)]
    multiply_pairs(words[0], words[1], out)
    expected = torch.einsum("rki,kci->rc", left[:, :DEPTH].float(), right[:, :WIDTH].float())
    np.testing.assert_allclose(out[:, :WIDTH], expected.numpy(), atol=1e-5)
