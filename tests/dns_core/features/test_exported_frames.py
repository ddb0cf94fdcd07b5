"""The exported description of frames is that of torch."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data

from dns_core.errors import InputError, MismatchError
from dns_core.features import exported_frames
from dns_core.features.cards import BACKBONES
from dns_core.features.description import Description
from dns_core.features.exported_frames import (
    BACKBONE_GRAPH,
    INT8_GRAPH,
    ExportedFrames,
    frames_graph,
)
from dns_core.features.int8_frames import write_int8
from dns_core.features.live_frames import LiveFrames, export_frames
from dns_core.features.registry import load_backbone
from dns_core.records import Float32Array, UInt8Array
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import open_features
from dns_core.similarity import threads
from dns_core.store.weights import read_weights

LITE = "efficientnet_lite0.imagenet1k"
EXACT = 2e-6


def photographs(side: int = 224) -> UInt8Array:
    """Squares of five photographs, and a blank frame."""
    pictures = [getattr(skimage.data, name)() for name in ("chelsea", "coffee", "astronaut", "rocket")]
    squares = [np.ascontiguousarray(picture[40 : 40 + side, 60 : 60 + side]) for picture in pictures]
    return np.stack([*squares, squares[0][::-1], np.full_like(squares[0], 90)])


def shipped_description() -> Description:
    return Description.of(read_weights(SHIPPED_MODELS / "whitening.safetensors")[1])


def test_the_shipped_graph_describes_as_torch() -> None:
    description = shipped_description()
    frames = photographs()
    live = LiveFrames(
        load_backbone(description.card.name), Description(description.card, 2.0, luma_weight=1.0)
    )
    found, expected = ExportedFrames(SHIPPED_MODELS / BACKBONE_GRAPH, description)(frames), live(frames)
    np.testing.assert_allclose(found, expected, atol=EXACT)
    assert not found[-1].any()
    for n in range(1, 6):
        alone = ExportedFrames(SHIPPED_MODELS / BACKBONE_GRAPH, description)(frames[:n])
        np.testing.assert_allclose(alone, expected[:n], atol=EXACT)


def test_codes_and_vectors_of_real_frames_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle.load(SHIPPED_MODELS)
    extractor = open_features(bundle).extractor
    regions = bundle.whitening.apply(extractor.frames_to_regions(photographs()[:5]))
    roles = ("coarse", "fine_binary", "fine_attention", "selector_fine_binary")
    exported = {role: bundle._network(role).index(regions) for role in roles}
    monkeypatch.setattr("dns_core.retrieval.bundle.is_exported", lambda _: False)
    live = Bundle.load(SHIPPED_MODELS)
    for role, found in exported.items():
        assert type(live._network(role)).__module__ == "dns_core.models.live"
        np.testing.assert_allclose(found, live._network(role).index(regions), atol=EXACT, err_msg=role)


def _cosines(one: Float32Array, other: Float32Array) -> Float32Array:
    norms = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    cosines: Float32Array = (one * other).sum(axis=-1) / norms
    return cosines


def test_eight_bits_describe_nearly_the_same() -> None:
    description, whitening = shipped_description(), Bundle.load(SHIPPED_MODELS).whitening
    whole, rounded = (
        ExportedFrames(SHIPPED_MODELS / name, description) for name in (BACKBONE_GRAPH, INT8_GRAPH)
    )
    frames = photographs()
    cosines = _cosines(*(whitening.apply(describe(frames)[:5]) for describe in (whole, rounded)))
    assert cosines.mean() > 0.985
    assert cosines.min() > 0.94
    assert not rounded(frames)[-1].any()


def test_a_graph_is_rounded_by_the_frames_that_it_is_given(tmp_path: Path) -> None:
    whole = SHIPPED_MODELS / BACKBONE_GRAPH
    for n in (1, 5):
        write_int8(whole, tmp_path / f"{n}.onnx", photographs()[:n])
    one, five = (ExportedFrames(tmp_path / f"{n}.onnx", shipped_description())(photographs()) for n in (1, 5))
    exact = ExportedFrames(whole, shipped_description())(photographs())
    assert np.abs(one - five).max() > 0.01
    assert _cosines(exact[:5], five[:5]).mean() > _cosines(exact[:5], one[:5]).mean()
    with pytest.raises(InputError, match="frames to calibrate on"):
        write_int8(whole, tmp_path / "none.onnx", photographs()[:0])
    assert not (tmp_path / "none.onnx").exists()


def test_eight_bits_are_used_where_the_processor_is_made_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for features, name in (
        ("avx512vnni", INT8_GRAPH),
        ("avxvnni", INT8_GRAPH),
        ("dotprod", INT8_GRAPH),
        ("avx2", BACKBONE_GRAPH),
    ):
        monkeypatch.setattr(exported_frames, "processor_has", features.__eq__)
        assert frames_graph(SHIPPED_MODELS).name == name
        assert frames_graph(tmp_path).name == BACKBONE_GRAPH


@pytest.mark.parametrize(("frame", "luma_weight"), [("centre", 0.0), ("whole", 0.5)])
def test_any_description_can_be_exported(tmp_path: Path, frame: str, luma_weight: float) -> None:
    description = Description(BACKBONES[LITE], 2.0, "fp32", frame, luma_weight)  # type: ignore[arg-type]
    live = LiveFrames(load_backbone(LITE), description)
    export_frames(tmp_path / BACKBONE_GRAPH, live)
    found = ExportedFrames(tmp_path / BACKBONE_GRAPH, description)(photographs())
    np.testing.assert_allclose(found, live(photographs()), atol=EXACT)
    with pytest.raises(MismatchError, match=r"backbone\.onnx"):
        ExportedFrames(tmp_path / BACKBONE_GRAPH, Description(BACKBONES[LITE], 2.0, "bf16"))


@pytest.mark.parametrize("n_frames", [1, 4, 5, 16])
def test_a_description_does_not_depend_on_the_threads(monkeypatch: pytest.MonkeyPatch, n_frames: int) -> None:
    exported = ExportedFrames(SHIPPED_MODELS / BACKBONE_GRAPH, shipped_description())
    frames = np.concatenate([photographs()] * 3)[:n_frames]
    found = []
    for n_threads in (1, 2, 5):
        monkeypatch.setattr(threads, "all_threads", lambda n_threads=n_threads: n_threads)
        found.append(exported(frames))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
