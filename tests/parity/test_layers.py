"""layers.npz: NetVLAD, Chamfer, losses, region pooling, whitening, normalisation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from dns_core.features.cards import BACKBONES
from dns_core.features.regions import region_vectors
from dns_core.features.whitening import Whitening
from dns_core.models.netvlad import NetVLAD
from dns_core.models.pair_network import excess
from dns_core.similarity.chamfer import chamfer_similarity, region_chamfer, symmetric_chamfer_similarity
from dns_core.training.losses import triplet_loss
from tests.oracles.reference_files import arrays

LAYERS = arrays("layers.npz")

Close = Callable[..., None]


def layer(name: str) -> torch.Tensor:
    return torch.from_numpy(LAYERS[name].astype(np.float32))


@pytest.mark.parametrize(("name", "outdims"), [("vlad_full", None), ("vlad_red", 16)])
@pytest.mark.parametrize("case", ["r1", "r3"])
def test_netvlad_with_and_without_mask(name: str, outdims: int | None, case: str, close: Close) -> None:
    network = NetVLAD(32, 4, outdims)
    start = f"{name}/param/"
    network.load_state_dict({k.removeprefix(start): layer(k) for k in LAYERS if k.startswith(start)})
    maps, mask = layer(f"{name}/{case}/x"), layer(f"{name}/{case}/mask").bool()
    vectors = maps.flatten(2).mT
    with torch.no_grad():
        close(network(vectors), LAYERS[f"{name}/{case}/y"])
        every_region = mask.repeat_interleave(maps.shape[3], dim=1)
        close(network(vectors, every_region), LAYERS[f"{name}/{case}/y_mask"])


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_chamfer(symmetric: bool, masked: bool, close: Close) -> None:
    mask = layer("chamfer/mask").bool() if masked else None
    function = symmetric_chamfer_similarity if symmetric else chamfer_similarity
    found = function(layer("chamfer/in"), mask, max_axis=2, mean_axis=1)
    close(found, LAYERS[f"chamfer/sym={symmetric}{'/masked' if masked else ''}"], 1e-6)


def test_products_of_regions(close: Close) -> None:
    # Our kernel never holds the product: what can be compared is what is made of it.
    found = region_chamfer(layer("tensordot/a"), layer("tensordot/b"))
    close(found, layer("tensordot/cosine").amax(3).mean(2).numpy(), 1e-6)
    close(found / 8, layer("tensordot/hamming").amax(3).mean(2).numpy(), 1e-6)
    # The "euclidean" of the reference is 1 - 2 x, an order reversed: its best region is our worst.
    reversed_best = region_chamfer(-layer("tensordot/a"), layer("tensordot/b"))
    close(1 + 2 * reversed_best, layer("tensordot/euclidean").amax(3).mean(2).numpy(), 1e-5)


@pytest.mark.parametrize("similarity", [True, False])
@pytest.mark.parametrize("gamma", [1.0, 0.3])
def test_triplet_loss(similarity: bool, gamma: float) -> None:
    found = triplet_loss(layer("triplet/pos"), layer("triplet/neg"), margin=gamma, similarity=similarity)
    expected = float(LAYERS[f"triplet/similarity={similarity}/gamma={gamma}"])
    assert found.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("key", "bounds"), [("default", (-1.0, 1.0)), ("0_1", (0.0, 1.0))])
def test_similarity_regularisation(key: str, bounds: tuple[float, float]) -> None:
    found = excess(layer("simreg/in"), *bounds).sum()
    assert found.item() == pytest.approx(float(LAYERS[f"simreg/{key}"]), rel=1e-6)


@pytest.mark.parametrize("whose", ["dns", "visil"])
def test_region_vectors(whose: str, close: Close) -> None:
    maps = [layer(f"regions/map/layer{k}") for k in (1, 2, 3, 4)]
    close(region_vectors(maps), LAYERS[f"regions/{whose}"], 1e-6)


def test_whitening_without_changing_its_input(close: Close) -> None:
    variances, axes = LAYERS["pca/white/d"], LAYERS["pca/white/V"]
    largest = np.argsort(variances)[::-1][:16]
    projection = axes[:, largest] / np.sqrt(variances[largest] + 1e-7)
    whitening = Whitening(LAYERS["pca/white/mean"], projection.astype(np.float32))
    given = LAYERS["pca/in"].copy()
    close(whitening.apply(given), LAYERS["pca/out16"], 1e-5)
    np.testing.assert_array_equal(given, LAYERS["pca/in"])
    # The reference's layer leaves its input without the mean.
    close(given - whitening.mean, LAYERS["pca/in_after_call"], 1e-6)


def test_images_are_normalised_alike(close: Close) -> None:
    card: Any = BACKBONES["resnet50.imagenet1k_v1"]
    images = LAYERS["normalizer/in"].astype(np.float32)
    found = (images / 255 - np.array(card.mean, np.float32)) / np.array(card.std, np.float32)
    close(found.transpose(0, 3, 1, 2), LAYERS["normalizer/out"], 1e-5)


@pytest.mark.parametrize(("key", "windows"), [("L=1", 1), ("L=2", 2), ("L=3", 3)])
def test_rmac_is_another_pooling_that_the_reference_itself_does_not_call(key: str, windows: int) -> None:
    # For reference: both implementations pool with region_vectors' windows instead.
    side, length = LAYERS["rmac/in"].shape[-1], 2 * LAYERS["rmac/in"].shape[-1] // (windows + 1)
    starts = [int(np.floor(i * (side - length) / max(windows - 1, 1) + 1e-9)) for i in range(windows)]
    pooled = np.stack(
        [
            np.stack([LAYERS["rmac/in"][..., r : r + length, c : c + length].max((2, 3)) for c in starts], -1)
            for r in starts
        ],
        -2,
    )
    np.testing.assert_array_equal(pooled, LAYERS[f"rmac/{key}"])
    assert LAYERS["rmac_wide/L=3"].shape == (1, 4, 3, 4)
