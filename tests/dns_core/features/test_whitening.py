from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError
from dns_core.features.whitening import Whitening, matched_differences, sample_regions
from dns_core.records import Float32Array
from dns_core.store.feature_store import FeatureStore, FeatureWriter
from dns_core.store.weights import save_weights


def _sample(n: int = 500, dims: int = 12) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rng = np.random.default_rng(0)
    return (rng.standard_normal((n, dims)) @ rng.standard_normal((dims, dims)) + 3).astype(np.float32)


def test_the_fit_is_scikit_learns_up_to_signs() -> None:
    sample = _sample()
    whitening = Whitening.fit(sample, 5)
    other = PCA(5, whiten=True).fit(sample.astype(np.float64))
    expected = other.components_.T / np.sqrt(other.explained_variance_)
    signs = np.sign((whitening.projection * expected).sum(axis=0))
    np.testing.assert_allclose(whitening.projection, expected * signs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(whitening.mean, other.mean_, rtol=1e-6)


def test_what_copies_change_counts_less_and_equally() -> None:
    rng = np.random.default_rng(1)
    sample = _sample(4000)
    scale = np.array([5.0, 3.0] + [0.3] * 10)
    mixing = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    differences = ((rng.standard_normal((8000, 12)) * scale) @ mixing).astype(np.float32)
    whitening = Whitening.fit_to_copies(sample, differences, 12, shrinkage=0)
    changed = differences @ whitening.projection
    np.testing.assert_allclose(changed.T @ changed / len(changed), np.eye(12), atol=5e-3)
    varied = np.cov((sample - whitening.mean) @ whitening.projection, rowvar=False)
    np.testing.assert_allclose(varied, np.diag(varied.diagonal()), atol=1e-2 * varied.max())
    assert (np.diff(varied.diagonal()) <= 0).all()


def test_shrinkage_trusts_directions_less_that_no_edit_changed() -> None:
    differences = np.zeros((100, 12), dtype=np.float32)
    differences[:, 0] = np.random.default_rng(1).standard_normal(100)

    def lengths(shrinkage: float) -> Float32Array:
        fitted = Whitening.fit_to_copies(_sample(), differences, 12, shrinkage=shrinkage)
        return np.asarray(np.linalg.norm(fitted.projection, axis=1))

    little, much = lengths(0.01), lengths(10.0)
    assert little[1:].min() / little[0] > much[1:].min() / much[0] > 1


def test_too_many_dimensions_of_copies_are_refused() -> None:
    differences = np.random.default_rng(1).standard_normal((50, 12)).astype(np.float32)
    with pytest.raises(InputError, match="varies in"):
        Whitening.fit_to_copies(_sample(5), differences, 9, shrinkage=1.0)


def test_a_mirrored_copy_is_matched_region_by_region() -> None:
    originals = _sample(6 * 9).reshape(6, 9, 12)
    mirrored = originals.reshape(6, 3, 3, 12)[:, :, ::-1].reshape(6, 9, 12)
    identity = Whitening(np.zeros(12, np.float32), np.eye(12, dtype=np.float32))
    assert np.abs(mirrored - originals).max() > 1
    np.testing.assert_array_equal(matched_differences(originals, mirrored, identity), 0)
    assert matched_differences(originals, mirrored + 1, identity).shape == (54, 12)


def test_what_is_whitened_has_equal_variance_and_then_unit_length() -> None:
    sample = _sample()
    whitening = Whitening.fit(sample, 12)
    projected = (sample - whitening.mean) @ whitening.projection
    np.testing.assert_allclose(np.cov(projected.T), np.eye(12), atol=1e-3)
    regions = sample[:90].reshape(10, 9, 12)
    white = whitening.apply(regions)
    assert white.shape == (10, 9, 12)
    assert white.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(white, axis=-1), 1, rtol=1e-6)


def test_the_order_of_the_sample_decides_nothing() -> None:
    sample = _sample()
    shuffled = np.random.default_rng(1).permutation(sample)
    one, other = Whitening.fit(sample, 8), Whitening.fit(shuffled, 8)
    np.testing.assert_allclose(one.projection, other.projection, rtol=1e-4, atol=1e-6)
    largest = one.projection[np.abs(one.projection).argmax(axis=0), np.arange(8)]
    assert (largest > 0).all()  # for either sign of the eigen-solver
    assert Whitening.fit(sample, 8).fingerprint == one.fingerprint
    assert Whitening.fit(sample, 7).fingerprint != one.fingerprint


def test_a_large_sample_is_summed_in_blocks_without_loss() -> None:
    sample = np.tile(_sample(), (70, 1))  # more rows than a block
    few, many = Whitening.fit(sample[:500], 4), Whitening.fit(sample, 4)
    np.testing.assert_allclose(few.projection, many.projection, rtol=2e-3)


def test_the_input_is_left_alone_and_zero_rows_stay_zero() -> None:
    whitening = Whitening.fit(_sample(), 4)
    regions = _sample(18).reshape(2, 9, 12)
    regions[1, 3] = 0
    before = regions.copy()
    white = whitening.apply(regions)
    np.testing.assert_array_equal(regions, before)
    assert not white[1, 3].any()
    assert (np.abs(white).sum(axis=-1) > 0).sum() == 17


def test_a_descriptor_scores_the_same_alone_and_among_others() -> None:
    whitening = Whitening.fit(_sample(), 4)
    regions = _sample(90).reshape(10, 9, 12)
    np.testing.assert_allclose(whitening.apply(regions)[3:4], whitening.apply(regions[3:4]), atol=1e-6)


@pytest.mark.parametrize(("n", "dims", "rank"), [(5, 6, 4), (500, 13, 12), (500, 0, 12), (1, 1, 0)])
def test_more_dimensions_than_the_sample_has_are_refused(n: int, dims: int, rank: int) -> None:
    with pytest.raises(InputError, match=f"varies in {rank};"):
        Whitening.fit(_sample(n), dims)


def test_a_saved_whitening_is_read_back(tmp_path: Path) -> None:
    whitening = Whitening.fit(_sample(), 4)
    whitening.save(tmp_path / "w.safetensors", {"backbone": "toy"})
    loaded = Whitening.load(tmp_path / "w.safetensors")
    assert loaded.fingerprint == whitening.fingerprint
    assert loaded.dims == 4
    regions = _sample(9)
    np.testing.assert_array_equal(loaded.apply(regions), whitening.apply(regions))


def test_what_is_not_a_whitening_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(MissingArtefactError):
        Whitening.load(path)
    save_weights(path, {"mean": np.zeros(3)}, {})
    with pytest.raises(CorruptArtefactError, match=r"w\.safetensors"):
        Whitening.load(path)
    save_weights(path, {"mean": np.zeros(3), "projection": np.zeros((4, 2))}, {})
    with pytest.raises(CorruptArtefactError, match=r"w\.safetensors"):
        Whitening.load(path)
    with pytest.raises(ValueError, match="whitened"):
        Whitening.fit(_sample(), 4).apply(np.zeros((2, 9, 11), dtype=np.float32))


LENGTHS = {"a": 1, "b": 40, "c/d": 100, "e": 3}


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Every descriptor is [video, frame, region], so that it tells where it came from."""
    writer = FeatureWriter(tmp_path / "f.h5", metadata={}, partial=tmp_path / "p")
    for k, (video_id, length) in enumerate(LENGTHS.items()):
        frames, regions = np.indices((length, 9), dtype=np.float32)
        writer.write(
            video_id, [(np.stack([frames * 0 + k, frames, regions], -1), np.arange(length, dtype=float))]
        )
    writer.finish(list(LENGTHS))
    return FeatureStore.open(tmp_path / "f.h5")


@pytest.mark.parametrize(
    ("n", "counts"),
    [(40, [9, 11, 10, 10]), (100, [9, 32, 32, 27]), (1296, [9, 360, 900, 27]), (10**6, [9, 360, 900, 27])],
)
def test_a_sample_is_even_over_videos_as_far_as_they_last(
    store: FeatureStore, n: int, counts: list[int]
) -> None:
    with store:
        sample = sample_regions(store, store.ids, n, seed=0)
    drawn = np.bincount(sample[:, 0].astype(int), minlength=4)
    assert sorted(drawn) == sorted(counts)
    assert drawn[0] == 9
    assert len(np.unique(sample, axis=0)) == len(sample) == min(n, 1296)


def test_a_sample_of_fewer_than_the_videos_takes_one_of_some(store: FeatureStore) -> None:
    with store:
        sample = sample_regions(store, store.ids, 2, seed=0)
    assert len(set(sample[:, 0])) == 2


def test_a_draw_depends_on_the_seed_and_not_on_the_order_of_ids(store: FeatureStore) -> None:
    with store:
        one = sample_regions(store, store.ids, 50, seed=0)
        same = sample_regions(store, store.ids[::-1] + store.ids, 50, seed=0)
        other = sample_regions(store, store.ids, 50, seed=1)
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_an_empty_draw_is_refused(store: FeatureStore) -> None:
    with store:
        with pytest.raises(InputError, match="from 0 videos"):
            sample_regions(store, [], 5, seed=0)
        with pytest.raises(InputError, match="cannot sample 0"):
            sample_regions(store, store.ids, 0, seed=0)
