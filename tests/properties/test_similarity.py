"""Laws of the similarities, on arrays of any shape and content."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dns_core.models.registry import build_network
from dns_core.similarity.chamfer import chamfer_similarity, region_chamfer
from dns_core.similarity.hamming import frame_similarity_packed, pack_signs, unpack_signs
from tests.oracles.similarity_loops import chamfer_loops, packed_similarity_loops, region_chamfer_loops

Array = npt.NDArray[Any]

seeds = st.integers(0, 2**32 - 1)
lengths = st.integers(1, 9)

# The first example compiles the kernel: no deadline.
LAW = settings(max_examples=40, deadline=None)


def regions(rng: np.random.Generator, n_frames: int, dims: int, n_regions: int = 3) -> Array:
    """Unit vectors, some of them zero, some repeated exactly."""
    vectors = rng.standard_normal((n_frames, n_regions, dims))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    vectors[rng.random((n_frames, n_regions)) < 0.1] = 0
    if n_frames > 1 and rng.random() < 0.5:
        vectors[-1] = vectors[0]
    return vectors.astype(np.float32)


@LAW
@given(seeds, lengths, lengths, st.integers(0, 6), st.integers(0, 6))
def test_chamfer_is_bounded_and_blind_to_padding(seed: int, h: int, w: int, below: int, beside: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(-1, 1, (h, w)).astype(np.float32)
    alone = chamfer_similarity(torch.from_numpy(matrix), max_axis=1, mean_axis=0).item()
    assert matrix.min() - 1e-6 <= alone <= matrix.max() + 1e-6
    padded = rng.uniform(-9, 9, (h + below, w + beside)).astype(np.float32)
    padded[:h, :w] = matrix
    mask = np.zeros(padded.shape, bool)
    mask[:h, :w] = True
    masked = chamfer_similarity(torch.from_numpy(padded), torch.from_numpy(mask), max_axis=1, mean_axis=0)
    np.testing.assert_allclose(masked.item(), alone, atol=1e-6)


@LAW
@given(seeds, lengths, lengths)
def test_masked_chamfer_equals_plain_loops(seed: int, h: int, w: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(-1, 1, (h, w)).astype(np.float32)
    mask = rng.random((h, w)) < rng.random()
    found = chamfer_similarity(torch.from_numpy(matrix), torch.from_numpy(mask), max_axis=1, mean_axis=0)
    np.testing.assert_allclose(found.item(), chamfer_loops(matrix, mask), atol=1e-6)


@LAW
@given(seeds, lengths, lengths)
def test_region_chamfer_equals_plain_loops_and_is_bounded(seed: int, n_query: int, n_target: int) -> None:
    rng = np.random.default_rng(seed)
    query, target = regions(rng, n_query, 8), regions(rng, n_target, 8)
    found = region_chamfer(torch.from_numpy(query)[None], torch.from_numpy(target)[None])[0].numpy()
    np.testing.assert_allclose(found, region_chamfer_loops(query, target), atol=1e-6)
    assert np.abs(found).max() <= 1 + 1e-6


@LAW
@given(seeds, lengths, lengths, st.sampled_from([(1, 1), (9, 2), (9, 8), (4, 11)]))
def test_packed_equals_unpacked(seed: int, n_query: int, n_target: int, shape: tuple[int, int]) -> None:
    """Few shapes: each is compiled on its own."""
    n_regions, words = shape
    rng = np.random.default_rng(seed)
    query, target = (regions(rng, n, 64 * words, n_regions) for n in (n_query, n_target))
    packed = pack_signs(query), pack_signs(target)
    found = frame_similarity_packed(*packed)
    signs = [torch.from_numpy(unpack_signs(code).astype(np.float32))[None] for code in packed]
    product = region_chamfer(signs[0], signs[1])[0].numpy() / (64 * words)
    np.testing.assert_allclose(found, product, atol=1e-6)
    np.testing.assert_allclose(found, packed_similarity_loops(*packed), atol=1e-6)
    assert np.abs(found).max() <= 1


@LAW
@given(seeds, st.integers(1, 4))
def test_packing_keeps_every_sign(seed: int, words: int) -> None:
    index = np.random.default_rng(seed).standard_normal((3, 9, 64 * words)).astype(np.float32)
    np.testing.assert_array_equal(unpack_signs(pack_signs(index)), np.where(index >= 0, 1, -1))


@LAW
@given(
    seeds,
    st.sampled_from(["teacher", "fine_attention", "fine_binary"]),
    st.lists(st.tuples(st.integers(1, 14), st.integers(1, 14)), min_size=1, max_size=4),
    st.integers(0, 5),
)
def test_a_pair_alone_equals_the_pair_in_a_batch(
    seed: int, architecture: str, sizes: list[tuple[int, int]], extra: int
) -> None:
    torch.manual_seed(seed)
    network: Any = build_network(architecture, {"dims": 64}).eval()
    rng = np.random.default_rng(seed)
    pairs = [tuple(torch.from_numpy(regions(rng, n, 64)) for n in size) for size in sizes]
    alone = [network(query[None], target[None])[0].item() for query, target in pairs]
    sides = []
    for side in (0, 1):
        length = max(size[side] for size in sizes) + extra
        batch = torch.full((len(pairs), length, 3, 64), 0.5)
        for row, pair in enumerate(pairs):
            batch[row, : len(pair[side])] = pair[side]
        sides.append((batch, torch.arange(length)[None] < torch.tensor(sizes)[:, side, None]))
    (query, query_mask), (target, target_mask) = sides
    with torch.no_grad():
        together, _ = network(query, target, query_mask, target_mask)
    np.testing.assert_allclose(together.numpy(), alone, atol=3e-6)


@LAW
@given(seeds, lengths, lengths)
def test_packed_codes_of_the_binary_student_score_as_its_index(
    seed: int, n_query: int, n_target: int
) -> None:
    torch.manual_seed(seed)
    network: Any = build_network("fine_binary", {"dims": 16, "binary_bits": 64}).eval()
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        query, target = (
            network.index(torch.from_numpy(regions(rng, n, 16))[None]) for n in (n_query, n_target)
        )
        matrix = network.frame_similarity(query, target)[0].numpy()
    packed = frame_similarity_packed(pack_signs(query[0].numpy()), pack_signs(target[0].numpy()))
    np.testing.assert_allclose(packed, matrix, atol=1e-6)
