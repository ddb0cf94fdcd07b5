"""Every network of a search, exported or live, treats what it is given alike."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from dns_core.models.export import export_network
from dns_core.models.exported import ExportedCoarse, ExportedFine, ExportedSelector
from dns_core.models.live import load_live
from dns_core.models.network_file import read_network_file
from dns_core.records import Float32Array
from dns_core.retrieval.networks import ChunkNetwork, FineNetwork, SelectorNetwork
from tests.dns_core.models.test_exported import NETWORKS, regions
from tests.factories import write_small_networks

FINE = ("fine_attention", "fine_binary", "teacher")
EXPORTED: dict[str, Callable[..., ChunkNetwork | FineNetwork]] = {
    "coarse": ExportedCoarse,
    "selector_fine_binary": ExportedSelector,
    **dict.fromkeys(FINE, ExportedFine),
}
KINDS = ("exported", "live")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("networks")
    write_small_networks(made, NETWORKS, seed=1)
    for role in NETWORKS:
        export_network(made / f"{role}.safetensors")
    return made


def opened(folder: Path, role: str, kind: str) -> ChunkNetwork | FineNetwork:
    path = folder / f"{role}.safetensors"
    if kind == "live":
        return load_live(path, expect=NETWORKS[role], device="cpu")
    return EXPORTED[role](path, read_network_file(path))


def mapped(n_frames: int) -> Float32Array:
    """Unit vectors that may not be written to, as those of a mapped file."""
    frames = regions(n_frames)
    frames.setflags(write=False)
    return frames


def check(network: ChunkNetwork | FineNetwork, shape: Callable[[int], Sequence[int]]) -> None:
    for n_frames in (1, 2, 17):
        frames = mapped(n_frames)
        found = network.index(frames)
        assert found.dtype == np.float32
        assert list(found.shape) == list(shape(n_frames))
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found, network.index(frames))
        padded = np.concatenate([mapped(3), frames])[3:]
        np.testing.assert_array_equal(found, network.index(padded))


@pytest.mark.parametrize("kind", KINDS)
def test_a_coarse_network_gives_a_unit_vector(folder: Path, kind: str) -> None:
    network = opened(folder, "coarse", kind)
    length = len(network.index(mapped(2)))
    check(network, lambda _: [length])
    assert np.linalg.norm(network.index(mapped(5))) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_selector_gives_a_number_and_a_decision_for_each_pair(folder: Path, kind: str) -> None:
    network = cast("SelectorNetwork", opened(folder, "selector_fine_binary", kind))
    check(network, lambda _: [])
    pairs = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
    logits = network.logits(pairs)
    assert logits.shape == (7,)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(network.logits(pairs[::-1].copy()), logits[::-1], rtol=1e-5)
    assert network.logits(pairs[:0]).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", FINE)
def test_a_fine_network_stores_each_frame_by_itself(folder: Path, role: str, kind: str) -> None:
    network = cast("FineNetwork", opened(folder, role, kind))
    width = network.index(mapped(1)).shape[-1]
    check(network, lambda n_frames: [n_frames, 9, width])
    frames = mapped(6)
    stored = network.index(frames)
    np.testing.assert_allclose(network.index(frames[2:3])[0], stored[2], atol=2e-6)
    assert network.packed == (role == "fine_binary")
    assert network.packed == bool(np.isin(stored, (-1, 1)).all())
    assert network.weights is not None
