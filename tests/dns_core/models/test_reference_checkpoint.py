import argparse
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dns_core.errors import ForeignFileError, MissingArtefactError, ParamsError
from dns_core.models.reference_checkpoint import ReferenceCheckpoint, write_reference
from dns_core.models.registry import build_network
from tests.oracles.malicious_pickle import Command

SMALL_COARSE = {
    "dims": 64,
    "transformer_heads": 4,
    "transformer_feedforward_dims": 32,
    "netvlad_clusters": 3,
    "netvlad_outdims": 16,
}
# Architecture and config, and what of it the tensors alone do not tell.
BUILT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("teacher", {"dims": 64, "padding": "replicate"}, {}),
    ("teacher", {"dims": 64, "padding": "replicate", "symmetric": True}, {"symmetric": True}),
    ("fine_attention", {"dims": 64}, {}),
    ("fine_binary", {"dims": 64, "binary_bits": 128}, {}),
    ("selector", {"dims": 64, "hidden_size": 12, "num_layers": 2}, {}),
    ("coarse", SMALL_COARSE, {"transformer_heads": 4}),
    ("coarse", {**SMALL_COARSE, "attention": False, "transformer_layers": 2}, {"transformer_heads": 4}),
    ("coarse", {"dims": 64, "transformer": False, "netvlad_clusters": 2, "netvlad_outdims": None}, {}),
    ("coarse", {"dims": 64, "transformer_heads": 4, "netvlad": False}, {"transformer_heads": 4}),
]
FORMS: dict[str, Callable[[dict[str, Any], dict[str, Any]], Any]] = {
    "dict": lambda state, settings: {"model": state, "args": settings},
    "namespace": lambda state, settings: {
        "model": state,
        "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4}]},
        "global_step": torch.zeros(1),
        "args": argparse.Namespace(**settings, experiment_path="runs/a", binarization=None),
    },
    "bare": lambda state, _: state,
}


def written(
    path: Path, network: nn.Module, form: str = "dict", settings: dict[str, Any] | None = None
) -> Path:
    torch.save(FORMS[form](dict(network.state_dict()), settings or {}), path)
    return path


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("architecture", "config", "unseen"), BUILT)
def test_every_form_of_every_network_is_read(
    tmp_path: Path, form: str, architecture: str, config: dict[str, Any], unseen: dict[str, Any]
) -> None:
    torch.manual_seed(1)
    network = build_network(architecture, config)
    checkpoint = ReferenceCheckpoint.read(written(tmp_path / "m.pth", network, form, unseen))
    # Only a bare file leaves what no shape tells to the user.
    loaded = checkpoint.network(architecture, unseen if form == "bare" else {})
    assert loaded.config.items() >= config.items()
    assert not loaded.network.training
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(loaded.network.state_dict()[name], tensor, rtol=0, atol=0)
    assert loaded.provenance["source"] == "m.pth"
    assert len(loaded.provenance["source_fingerprint"]) == 16


@pytest.mark.parametrize(("architecture", "config", "unseen"), BUILT)
def test_what_is_written_for_the_reference_is_read_again(
    tmp_path: Path, architecture: str, config: dict[str, Any], unseen: dict[str, Any]
) -> None:
    network = build_network(architecture, config)
    source = ReferenceCheckpoint.read(written(tmp_path / "m.pth", network))
    write_reference(tmp_path / "out.pth", source.network(architecture, unseen))
    again = ReferenceCheckpoint.read(tmp_path / "out.pth").network(architecture, unseen)
    for name, tensor in network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], tensor)
    # The reference calls vars() on the settings, and loads its teacher from a bare state dict.
    content = torch.load(tmp_path / "out.pth", weights_only=False)
    assert ("model" in content) == (architecture != "teacher")
    if architecture != "teacher":
        settings = vars(content["args"])
        assert settings.get("attention", True) is (
            architecture != "fine_binary" and config.get("attention", True)
        )


@pytest.mark.parametrize("legacy", [False, True])
def test_a_checkpoint_that_runs_a_command_is_refused_and_not_run(tmp_path: Path, legacy: bool) -> None:
    path, proof = tmp_path / "evil.pth", tmp_path / "proof"
    content = {"model": {"w": torch.zeros(1)}, "args": Command(proof)}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(
        ForeignFileError, match=r"evil\.pth: .* asks for posix\.system: refused, nothing was run"
    ):
        ReferenceCheckpoint.read(path)
    assert not proof.exists()
    torch.load(path, weights_only=False)
    assert proof.exists(), "the checkpoint would have run the command"


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_plain_pickle_that_runs_a_command_is_refused(tmp_path: Path, protocol: int) -> None:
    path, proof = tmp_path / "evil.pth", tmp_path / "proof"
    path.write_bytes(pickle.dumps({"model": Command(proof)}, protocol))
    with pytest.raises(ForeignFileError, match=r"evil\.pth: expected a"):
        ReferenceCheckpoint.read(path)
    assert not proof.exists()


def test_a_namespace_cannot_smuggle_a_command(tmp_path: Path) -> None:
    path, proof = tmp_path / "evil.pth", tmp_path / "proof"
    torch.save({"model": {"w": torch.zeros(1)}, "args": argparse.Namespace(lr=Command(proof))}, path)
    with pytest.raises(ForeignFileError, match="refused"):
        ReferenceCheckpoint.read(path)
    assert not proof.exists()


def test_a_network_of_another_architecture_is_refused_by_the_names_of_its_tensors(tmp_path: Path) -> None:
    path = written(tmp_path / "m.pth", build_network("fine_attention", {"dims": 64}))
    with pytest.raises(
        ForeignFileError, match=r"m\.pth is not a coarse .*unexpected visil_head\.conv1\.bias"
    ):
        ReferenceCheckpoint.read(path).network("coarse", {})
    with pytest.raises(
        ForeignFileError, match=r"expected the tensor mlp\.model\.0\.weight, found only attention"
    ):
        ReferenceCheckpoint.read(path).network("selector", {})
    with pytest.raises(ParamsError, match="unknown architecture 'resnet'"):
        ReferenceCheckpoint.read(path).network("resnet", {})


def test_missing_and_misshapen_tensors_are_named(tmp_path: Path) -> None:
    state = dict(build_network("fine_attention", {"dims": 64}).state_dict())
    del state["visil_head.fconv.bias"]
    state["visil_head.conv2.bias"] = torch.zeros(63)
    torch.save({"model": state, "args": {}}, tmp_path / "m.pth")
    with pytest.raises(ForeignFileError) as caught:
        ReferenceCheckpoint.read(tmp_path / "m.pth").network("fine_attention", {})
    assert "missing visil_head.fconv.bias" in str(caught.value)
    assert "visil_head.conv2.bias is (63,), not (64,)" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "expected a state dict, found list"),
        ({}, "expected a state dict"),
        ({"model": {"w": 3}}, "expected tensors by name, found w"),
        ({"model": {"w": torch.tensor([1.0, float("nan")])}}, "w: expected finite numbers"),
        ({"model": {"w": torch.zeros(1)}, "args": 3}, "expected a state dict"),
    ],
)
def test_what_is_no_checkpoint_is_one_error(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "m.pth")
    with pytest.raises(ForeignFileError, match=message):
        ReferenceCheckpoint.read(tmp_path / "m.pth")


@pytest.mark.parametrize("keep", [0, 10, 2000])
def test_a_truncated_file_is_one_error(tmp_path: Path, keep: int) -> None:
    path = written(tmp_path / "m.pth", build_network("fine_attention", {"dims": 64}))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ForeignFileError, match=r"m\.pth: expected a whole pickle"):
        ReferenceCheckpoint.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError, match=r"none\.pth"):
        ReferenceCheckpoint.read(tmp_path / "none.pth")
