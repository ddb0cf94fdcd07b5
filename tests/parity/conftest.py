from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from dns_core.models.fine import FineStudent
from dns_core.models.registry import build_network
from dns_core.models.teacher import Teacher
from tests.oracles.parity_rule import feature_set, rule_state
from tests.oracles.reference_files import figures

# fp32 against fp32: the reference itself is within 1e-6 of its double-precision twin.
ATOL = 2e-5

Close = Callable[..., None]


@pytest.fixture(scope="session")
def models() -> Mapping[str, Any]:
    """What each of the reference's networks was built of."""
    built: dict[str, Any] = figures("manifest.json")["models"]
    return built


@pytest.fixture(scope="session")
def videos() -> dict[str, Tensor]:
    """Five videos [T, 9, 512], by rule."""
    return {name: torch.from_numpy(video.astype(np.float32)) for name, video in feature_set().items()}


@pytest.fixture(scope="session")
def padded(videos: dict[str, Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    """Videos by name in one batch of n frames, and its mask."""

    def pad(names: list[str], n_frames: int) -> tuple[Tensor, Tensor]:
        batch = torch.zeros(len(names), n_frames, 9, 512)
        mask = torch.zeros(len(names), n_frames, dtype=torch.bool)
        for row, name in enumerate(names):
            length = min(n_frames, len(videos[name]))
            batch[row, :length] = videos[name][:length]
            mask[row, :length] = True
        return batch, mask

    return pad


@pytest.fixture(scope="session")
def build(models: Mapping[str, Any]) -> Callable[..., Any]:
    """The network of one of the reference's models, with its weights, in its rule, in evaluation mode."""

    def made(model: str, **changes: Any) -> Any:
        config = {**models[model]["config"], **changes}
        network = _BUILDERS[models[model]["class"]](config)
        network.load_state_dict(rule_state(models[model]))
        return network.eval()

    return made


def _teacher(config: dict[str, Any]) -> nn.Module:
    padding = config.pop("padding", "replicate")
    config.pop("video_comperator")
    return Teacher(padding=padding, compatibility="reference", **config)


_BUILDERS: dict[str, Callable[[dict[str, Any]], nn.Module]] = {
    "FineGrainedStudent": lambda config: FineStudent(compatibility="reference", **config),
    "CoarseGrainedStudent": lambda config: build_network("coarse", config),
    "SelectorNetwork": lambda config: build_network("selector", {**config, "compatibility": "reference"}),
    "ViSiLHead": _teacher,
}


@pytest.fixture
def close() -> Close:
    """Two arrays agree as closely as single precision allows."""

    def check(found: Tensor | npt.NDArray[Any], expected: npt.NDArray[Any], atol: float = ATOL) -> None:
        values = found.detach().numpy() if isinstance(found, Tensor) else found
        np.testing.assert_allclose(values, expected.reshape(values.shape), rtol=0, atol=atol)

    return check
