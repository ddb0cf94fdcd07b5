"""weights/: the reference's checkpoints in every form, against the same weights in safetensors."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from dns_core.models.reference_checkpoint import ReferenceCheckpoint
from dns_core.store.weights import read_weights
from tests.oracles.parity_rule import rule_state
from tests.oracles.reference_files import PARITY, WHOLE, figures

pytestmark = pytest.mark.skipif(not WHOLE, reason="needs all fixtures: set DNS_PARITY_DIR")

# File, architecture, what the reference called the model, and the settings that its file tells.
FILES = [
    ("fg_att.pth", "fine_attention", "fg_att", {"attention": True}),
    ("fg_att_namespace.pth", "fine_attention", "fg_att", {"attention": True}),
    ("fg_bin.pth", "fine_binary", "fg_bin", {"binarization": True}),
    ("cg_small.pth", "coarse", "cg_small", {"netvlad_clusters": 8}),
    ("selector.pth", "selector", "selector", {"hidden_size": 100}),
    ("teacher512.pth", "teacher", "teacher512", {"symmetric": False}),
    ("teacher512_bare.pth", "teacher", "teacher512", {}),
]


@pytest.mark.parametrize(("file", "architecture", "model", "settings"), FILES)
def test_a_checkpoint_holds_the_weights_of_its_model(
    file: str, architecture: str, model: str, settings: dict[str, Any]
) -> None:
    checkpoint = ReferenceCheckpoint.read(PARITY / "weights" / file)
    assert checkpoint.settings.items() >= settings.items()
    loaded = checkpoint.network(architecture, {})
    expected = rule_state(figures("manifest.json")["models"][model])
    stored, _ = read_weights(PARITY / "weights" / f"{model}.safetensors")
    found = loaded.network.state_dict()
    assert found.keys() == expected.keys() == stored.keys()
    # The Namespace file was saved after one step of Adam.
    near = 2e-4 if "namespace" in file else 0.0
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=near)
        torch.testing.assert_close(stored[name], tensor, rtol=0, atol=0)


def test_every_checkpoint_is_read() -> None:
    assert {file for file, *_ in FILES} == {path.name for path in (PARITY / "weights").glob("*.pth")}


def test_what_is_recorded_of_reading_them() -> None:
    checks = figures("manifest.json")["checks"]
    assert checks["namespace_weights_only"] == "UnpicklingError"
    assert checks["dict_args_in_reference"].startswith("TypeError")
    read: Callable[..., Any] = torch.load
    with pytest.raises(Exception, match="Namespace"):
        read(PARITY / "weights" / "fg_att_namespace.pth", weights_only=True)
