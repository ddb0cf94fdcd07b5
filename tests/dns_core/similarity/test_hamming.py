import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from dns_core.similarity.chamfer import region_chamfer
from dns_core.similarity.hamming import (
    frame_similarity_packed,
    pack_signs,
    unpack_signs,
)
from tests.oracles.similarity_loops import packed_similarity_loops

Codes = npt.NDArray[np.uint64]


def codes(n_frames: int, words: int = 8, seed: int = 0) -> Codes:
    rng = np.random.default_rng([seed, n_frames, words])
    return rng.integers(0, 2**64, (n_frames, 9, words), dtype=np.uint64)


def test_the_first_sign_is_the_lowest_bit_and_zero_counts_as_plus() -> None:
    index = -np.ones((1, 1, 128), np.float32)
    index[0, 0, [0, 65]] = 2, 0
    assert pack_signs(index).tolist() == [[[1, 2]]]
    np.testing.assert_array_equal(unpack_signs(pack_signs(index)), np.where(index >= 0, 1, -1))


@pytest.mark.parametrize("bits", [0, 63, 100])
def test_bits_that_do_not_fill_words_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="multiple of 64"):
        pack_signs(np.ones((2, 9, bits), np.float32))


# Numbers of words that fill vector registers and such that do not.
@pytest.mark.parametrize(("n_query", "n_target", "words"), [(2, 3, 1), (3, 5, 3), (2, 40, 8), (1, 6, 11)])
def test_equals_plain_loops(n_query: int, n_target: int, words: int) -> None:
    query, target = codes(n_query, words), codes(n_target, words, seed=1)
    found = frame_similarity_packed(query, target)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, packed_similarity_loops(query, target), atol=1e-7)
    found = frame_similarity_packed(query, target, partial=True)
    np.testing.assert_allclose(found, packed_similarity_loops(query, target, partial=True), atol=1e-7)


def test_equals_the_product_of_signs_beyond_one_block() -> None:
    query, target = codes(4), codes(700, seed=1)
    signs = [torch.from_numpy(unpack_signs(c).astype(np.float32)).unsqueeze(0) for c in (query, target)]
    expected = region_chamfer(signs[0], signs[1])[0].numpy() / 512
    np.testing.assert_allclose(frame_similarity_packed(query, target), expected, atol=1e-6)


def test_a_frame_is_as_similar_to_itself_as_can_be() -> None:
    own = codes(20)
    found = frame_similarity_packed(own, own)
    np.testing.assert_array_equal(found.diagonal(), np.ones(20, np.float32))
    assert found.min() >= -1


@pytest.mark.parametrize(("n_query", "n_target"), [(0, 3), (3, 0), (0, 0)])
def test_videos_without_frames_give_empty_matrices(n_query: int, n_target: int) -> None:
    assert frame_similarity_packed(codes(n_query), codes(n_target)).shape == (n_query, n_target)


def test_views_with_gaps_in_memory_are_read_rightly() -> None:
    query, target = codes(8)[::2], codes(9, seed=1)[::3]
    expected = frame_similarity_packed(query.copy(), target.copy())
    np.testing.assert_array_equal(frame_similarity_packed(query, target), expected)


def test_read_only_codes_are_accepted() -> None:
    query, target = codes(3), codes(5)
    expected = frame_similarity_packed(query, target)
    query.flags.writeable = target.flags.writeable = False
    np.testing.assert_array_equal(frame_similarity_packed(query, target), expected)


def test_codes_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="equal R and W"):
        frame_similarity_packed(codes(3), codes(5, words=4))
    with pytest.raises(ValueError, match="uint64"):
        frame_similarity_packed(codes(3), codes(5).astype(np.int64))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names an x86 processor")
def test_a_processor_without_wide_vectors_finds_the_same(tmp_path: Path) -> None:
    """The kernel as the first 64-bit processors need it, which cannot even count bits; in its own process."""
    query, target = codes(3), codes(200, seed=1)
    np.save(tmp_path / "query.npy", query)
    np.save(tmp_path / "target.npy", target)
    script = """
import sys, numpy as np
from pathlib import Path
from dns_core.similarity import hamming
folder = Path(sys.argv[1])
found = hamming.frame_similarity_packed(np.load(folder / "query.npy"), np.load(folder / "target.npy"))
np.save(folder / "found.npy", found)
(kernel,) = hamming._kernel_for(9, 8, False).inspect_asm().values()
sys.exit("zmm" in kernel or "popcnt" in kernel)
"""
    plain = {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    # A fixed script whose only argument is a folder made here.
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], env={**os.environ, **plain}, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), frame_similarity_packed(query, target))
