"""Every description of frames holds to one contract: by torch, by a graph, by a graph in 8 bits."""

from collections.abc import Callable

import numpy as np
import pytest

from dns_core.features.description import FrameNetwork
from dns_core.features.exported_frames import BACKBONE_GRAPH, INT8_GRAPH, ExportedFrames
from dns_core.features.live_frames import LiveFrames
from dns_core.features.registry import load_backbone
from dns_core.retrieval.bundle import SHIPPED_MODELS
from tests.dns_core.features.test_exported_frames import photographs, shipped_description

KINDS: dict[str, Callable[[], FrameNetwork]] = {
    "torch": lambda: LiveFrames(load_backbone(shipped_description().card.name), shipped_description()),
    "graph": lambda: ExportedFrames(SHIPPED_MODELS / BACKBONE_GRAPH, shipped_description()),
    "graph in 8 bits": lambda: ExportedFrames(SHIPPED_MODELS / INT8_GRAPH, shipped_description()),
}


@pytest.fixture(scope="module", params=KINDS)
def network(request: pytest.FixtureRequest) -> FrameNetwork:
    return KINDS[request.param]()


def test_it_says_what_it_computes(network: FrameNetwork) -> None:
    assert network.description == shipped_description()


@pytest.mark.parametrize("n_frames", [1, 3, 6])
def test_any_number_of_frames_is_described(network: FrameNetwork, n_frames: int) -> None:
    frames = photographs()[-n_frames:]
    found = network(frames)
    assert found.dtype == np.float32
    assert found.shape == (n_frames, 9, network.description.dims)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(network(frames), found)


def test_a_vector_has_length_one_and_a_blank_frame_has_none(network: FrameNetwork) -> None:
    *shown, blank = np.linalg.norm(network(photographs()), axis=-1)
    np.testing.assert_allclose(np.array(shown), 1.0, atol=1e-3)
    assert not blank.any()


def test_frames_do_not_see_one_another(network: FrameNetwork) -> None:
    together, alone = network(photographs())[0], network(photographs()[:1])[0]
    cosines = (together * alone).sum(axis=-1)
    assert cosines.min() > 0.999
