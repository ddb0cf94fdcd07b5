"""What every architecture promises, over the whole registry."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from dns_core.errors import ParamsError
from dns_core.models.fine import FineStudent
from dns_core.models.pair_network import PairNetwork
from dns_core.models.registry import ARCHITECTURES, build_network, config_keys
from tests.oracles.reference_files import figures

# The reference's model of each architecture: its state dict is ours.
MODELS = {
    "teacher": "teacher512",
    "fine_attention": "fg_att",
    "fine_binary": "fg_bin",
    "coarse": "cg_default",
    "selector": "selector",
}


def test_every_architecture_is_covered() -> None:
    assert set(MODELS) == set(ARCHITECTURES)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_state_dict_has_the_names_and_shapes_of_the_reference(architecture: str) -> None:
    found = {name: list(t.shape) for name, t in build_network(architecture, {}).state_dict().items()}
    assert found == figures("manifest.json")["models"][MODELS[architecture]]["shapes"]


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_indexes_videos_and_learns(architecture: str, half: bool) -> None:
    torch.manual_seed(0)
    network: Any = build_network(architecture, {"dims": 64})
    regions = F.normalize(torch.randn(2, 6, 9, 64), dim=-1)
    mask = torch.arange(6)[None] < torch.tensor([[6], [3]])
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        index = network.index(regions, mask)
        assert len(index) == 2
        assert torch.isfinite(index).all()
        if isinstance(network, PairNetwork):
            assert (index[1, 3:] == 0).all()
            similarity, regularisation = network.pair_similarity(index, index.flip(0), mask, mask.flip(0))
            assert similarity.shape == (2,)
            assert similarity.dtype == torch.float32
            assert regularisation.shape == ()
            index = similarity
    torch.autograd.backward(index.pow(2).sum())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_same_seed_gives_the_same_weights(architecture: str) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        states.append(build_network(architecture, {"dims": 64}).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize(
    ("architecture", "config", "message"),
    [
        ("resnet", {}, "unknown architecture 'resnet'"),
        ("coarse", {"attention": True, "bits": 8}, "coarse has no bits"),
        ("fine_attention", {"binarization": True}, "fine_attention has no binarization"),
        ("fine_binary", {"binary_bits": 100}, "multiple of 64"),
        ("coarse", {"dims": 65}, "cannot be built"),
    ],
)
def test_what_cannot_be_built_is_refused(architecture: str, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        build_network(architecture, config)


def test_attention_and_binarization_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="not both"):
        FineStudent(64, attention=True, binarization=True)


def test_config_keys_name_what_a_config_may_have() -> None:
    assert config_keys("fine_binary") == ("dims", "binary_bits", "compatibility", "partial")
    assert "netvlad_clusters" in config_keys("coarse")
