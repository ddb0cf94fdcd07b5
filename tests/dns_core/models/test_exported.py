"""Exported networks compute what torch computes."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import CorruptArtefactError, MismatchError, MissingArtefactError, ParamsError
from dns_core.models.checkpoints import save_network
from dns_core.models.export import export_network
from dns_core.models.exported import ExportedCoarse, ExportedFine, ExportedSelector
from dns_core.models.live import LiveCoarse, LiveFine, LiveSelector, load_live
from dns_core.models.network_file import read_network_file
from dns_core.models.registry import build_network
from dns_core.records import Float32Array
from tests.factories import DIMS, write_small_networks

NETWORKS = {
    "coarse": "coarse",
    "fine_attention": "fine_attention",
    "fine_binary": "fine_binary",
    "selector_fine_binary": "selector",
    "teacher": "teacher",
}
LENGTHS = (1, 2, 5, 33)
EXACT = 2e-6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of network, with its graphs; the coarse one has a transformer and NetVLAD."""
    folder = tmp_path_factory.mktemp("networks")
    write_small_networks(folder, NETWORKS, seed=1)
    for role in NETWORKS:
        export_network(folder / f"{role}.safetensors")
    return folder


def regions(n_frames: int) -> Float32Array:
    drawn = np.random.default_rng(n_frames).standard_normal((n_frames, 9, DIMS)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=-1, keepdims=True), dtype=np.float32)


def test_a_coarse_vector_is_that_of_torch(folder: Path) -> None:
    path = folder / "coarse.safetensors"
    exported, live = (
        ExportedCoarse(path, read_network_file(path)),
        load_live(path, expect="coarse", device="cpu"),
    )
    assert isinstance(live, LiveCoarse)
    for n_frames in LENGTHS:
        np.testing.assert_allclose(
            exported.index(regions(n_frames)), live.index(regions(n_frames)), atol=EXACT
        )


@pytest.mark.parametrize("name", ["fine_attention", "fine_binary", "teacher"])
def test_what_is_stored_of_frames_is_that_of_torch(folder: Path, name: str) -> None:
    path = folder / f"{name}.safetensors"
    exported = ExportedFine(path, read_network_file(path))
    live = load_live(path, expect=name, device="cpu")
    assert isinstance(live, LiveFine)
    assert (exported.packed, exported.partial) == (live.packed, live.partial)
    for n_frames in LENGTHS:
        np.testing.assert_allclose(
            exported.index(regions(n_frames)), live.index(regions(n_frames)), atol=EXACT
        )
    assert exported.weights is not None
    assert live.weights is not None
    np.testing.assert_array_equal(exported.weights.third, live.weights.third)


def test_the_selector_decides_as_in_torch(folder: Path) -> None:
    path = folder / "selector_fine_binary.safetensors"
    exported, live = (
        ExportedSelector(path, read_network_file(path)),
        load_live(path, expect="selector", device="cpu"),
    )
    assert isinstance(live, LiveSelector)
    for n_frames in LENGTHS:
        found = exported.index(regions(n_frames))
        assert found.shape == ()
        np.testing.assert_allclose(found, live.index(regions(n_frames)), atol=EXACT)
    pairs = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    np.testing.assert_allclose(exported.logits(pairs), live.logits(pairs), atol=1e-5)
    assert exported.logits(pairs[:0]).shape == (0,)


def test_a_graph_of_another_network_is_refused(folder: Path, tmp_path: Path) -> None:
    write_small_networks(tmp_path, {"coarse": "coarse"}, seed=2)
    path = tmp_path / "coarse.safetensors"
    with pytest.raises(MissingArtefactError, match=r"coarse\.onnx"):
        ExportedCoarse(path, read_network_file(path))
    shutil.copy(folder / "coarse.onnx", tmp_path)
    with pytest.raises(MismatchError, match=r"coarse\.onnx"):
        ExportedCoarse(path, read_network_file(path))
    (tmp_path / "coarse.onnx").write_bytes((folder / "coarse.onnx").read_bytes()[:1000])
    with pytest.raises(CorruptArtefactError, match=r"coarse\.onnx"):
        ExportedCoarse(path, read_network_file(path))


def test_a_graph_names_no_file_of_the_machine_that_wrote_it(folder: Path) -> None:
    for graph in folder.glob("*.onnx"):
        assert b".py" not in graph.read_bytes()


def test_a_network_that_the_kernels_do_not_know_is_not_exported(tmp_path: Path) -> None:

    config = {"dims": DIMS, "symmetric": True}
    path = tmp_path / "teacher.safetensors"
    network = build_network("teacher", config)
    save_network(path, network, architecture="teacher", config=config, provenance={})
    with pytest.raises(ParamsError, match="pads by zeros"):
        export_network(path)
    assert not (tmp_path / "teacher.onnx").exists()
