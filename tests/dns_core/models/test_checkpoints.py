from pathlib import Path
from typing import Any

import pytest
import torch

from dns_core.errors import CorruptArtefactError, MismatchError, MissingArtefactError, ParamsError
from dns_core.models.checkpoints import load_network, save_network
from dns_core.models.registry import ARCHITECTURES, build_network
from dns_core.store.weights import read_weights, save_weights

CONFIG = {"dims": 64}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "network.safetensors"


def save(path: Path, architecture: str = "fine_binary", provenance: dict[str, str] | None = None) -> str:
    torch.manual_seed(0)
    network = build_network(architecture, CONFIG)
    return save_network(
        path, network, architecture=architecture, config=CONFIG, provenance=provenance or {"data": "abc"}
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_is_saved_is_loaded(path: Path, architecture: str) -> None:
    fingerprint = save(path, architecture)
    loaded = load_network(path, expect=architecture)
    assert (loaded.architecture, loaded.config, loaded.provenance) == (architecture, CONFIG, {"data": "abc"})
    assert loaded.fingerprint == fingerprint
    assert not loaded.network.training
    torch.manual_seed(0)
    for name, tensor in build_network(architecture, CONFIG).state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], tensor), name


def test_equal_networks_give_equal_files_and_provenance_no_other_fingerprint(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    fingerprint = save(first)
    save(second)
    assert first.read_bytes() == second.read_bytes()
    assert save(second, provenance={"data": "other"}) == fingerprint


def test_a_changed_weight_changes_the_fingerprint(path: Path) -> None:
    fingerprint = save(path)
    network = load_network(path).network
    with torch.no_grad():
        next(network.parameters())[0, 0] += 1e-3
    changed = save_network(path, network, architecture="fine_binary", config=CONFIG, provenance={})
    assert changed != fingerprint


def test_another_architecture_is_refused(path: Path) -> None:
    save(path, "fine_attention")
    with pytest.raises(MismatchError, match="expected fine_binary, found fine_attention"):
        load_network(path, expect="fine_binary")


def test_a_missing_file_is_said_to_be_missing(path: Path) -> None:
    with pytest.raises(MissingArtefactError):
        load_network(path)


def missing(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["visil_head.conv2.bias"]


def unexpected(tensors: dict[str, torch.Tensor]) -> None:
    tensors["visil_head.conv9.bias"] = torch.zeros(3)


def misshapen(tensors: dict[str, torch.Tensor]) -> None:
    tensors["binarization.W"] = torch.zeros(64, 128)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (missing, "missing visil_head.conv2.bias"),
        (unexpected, "unexpected visil_head.conv9.bias"),
        (misshapen, r"binarization.W is \(64, 128\), not \(64, 64\)"),
    ],
)
def test_wrong_weights_are_named(path: Path, damage: Any, message: str) -> None:
    save(path)
    tensors, metadata = read_weights(path)
    damage(tensors)
    save_weights(path, tensors, metadata)
    with pytest.raises(CorruptArtefactError, match=message):
        load_network(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "0"}, "not a network of format 1"),
        ({"config": "{"}, "does not say what network it holds"),
        ({"config": '{"dimensions": 3}'}, "has no dimensions"),
        ({"architecture": "resnet"}, "unknown architecture"),
    ],
)
def test_a_file_that_does_not_describe_its_network_is_corrupt(
    path: Path, change: dict[str, str], message: str
) -> None:
    save(path)
    tensors, metadata = read_weights(path)
    save_weights(path, tensors, {**metadata, **change})
    with pytest.raises(CorruptArtefactError, match=message):
        load_network(path)


def test_a_config_of_another_network_is_not_saved(path: Path) -> None:
    network = build_network("fine_binary", CONFIG)
    with pytest.raises(ParamsError, match="is not this network"):
        save_network(path, network, architecture="fine_attention", config=CONFIG, provenance={})
    assert not path.exists()
