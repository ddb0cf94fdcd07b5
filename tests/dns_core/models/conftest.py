import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from tests.oracles.parity_rule import feature_set, rule_state

GOLDEN = Path(__file__).parents[2] / "golden"

# fp32 against fp32: the reference itself is within 1e-6 of its double-precision twin.
ATOL = 2e-5


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def figures() -> Mapping[str, Any]:
    """What the reference was built of, and its scalar figures."""
    read: dict[str, Any] = json.loads((GOLDEN / "networks.json").read_text())
    return read


@pytest.fixture(scope="session")
def golden() -> Mapping[str, npt.NDArray[Any]]:
    """What the reference computed."""
    with np.load(GOLDEN / "networks.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


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
def with_rule(figures: Mapping[str, Any]) -> Callable[[nn.Module, str], Any]:
    """A network in evaluation mode with the weights that the reference had."""

    def load(network: nn.Module, model: str) -> Any:
        network.load_state_dict(rule_state(figures["models"][model]))
        return network.eval()

    return load


@pytest.fixture
def close() -> Callable[..., None]:
    """Two arrays agree as closely as single precision allows."""

    def check(found: Tensor | npt.NDArray[Any], expected: npt.NDArray[Any], atol: float = ATOL) -> None:
        values = found.detach().numpy() if isinstance(found, Tensor) else found
        np.testing.assert_allclose(values, expected.reshape(values.shape), rtol=0, atol=atol)

    return check
