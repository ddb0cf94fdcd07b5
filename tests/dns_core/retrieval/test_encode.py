from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dns_core.errors import InputError
from dns_core.index import Chunking
from dns_core.records import VideoFeatures
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.encode import VideoEncoder, content_fingerprint
from dns_core.retrieval.index_settings import IndexSettings

MakeFeatures = Callable[[str, int], VideoFeatures]


def test_a_chunk_is_encoded_as_a_video_of_its_own(bundle: Bundle, make_features: MakeFeatures) -> None:
    video = make_features("a", 40)
    record = VideoEncoder(bundle, IndexSettings(Chunking(16, 4))).encode(video)
    assert record.spans.tolist() == [[0, 16], [12, 28], [24, 40]]
    for row, (start, stop) in enumerate(record.spans):
        regions = video.regions[start:stop]
        np.testing.assert_allclose(record.coarse[row], bundle.coarse.index(regions), atol=1e-6)
        for fine in ("fine_binary", "fine_attention"):
            number = bundle.selector(fine).index(regions)
            assert record.numbers[fine][row] == pytest.approx(number.item(), abs=1e-6)
    assert record.frames["fine_binary"].shape == (40, 3, 1)
    assert record.frames["fine_attention"].dtype == np.float16
    np.testing.assert_allclose(np.linalg.norm(record.coarse, axis=1), 1, atol=1e-6)


def test_an_encoder_says_what_its_records_are_made_of(bundle: Bundle) -> None:
    origin = VideoEncoder(bundle, IndexSettings(Chunking(64, 8), None, ("fine_binary",))).origin
    assert origin.models == bundle.index_models(["fine_binary"])
    assert origin.params == {
        "chunking": {"chunk_frames": 64, "overlap_frames": 8},
        "fine_networks": ["fine_binary"],
        "merge_from": None,
    }


def test_frames_that_look_alike_are_stored_as_the_first_of_them(
    bundle: Bundle, make_features: MakeFeatures
) -> None:
    a, b, c = make_features("a", 3).regions
    turned = 0.995 * a + 0.0999 * b
    regions = np.stack([a, turned / np.linalg.norm(turned, axis=-1, keepdims=True), b, b, a, c])
    video = VideoFeatures("v", regions, np.arange(6.0))
    plain = VideoEncoder(bundle).encode(video)
    merged = VideoEncoder(bundle, replace(bundle.index_settings, merge_from=0.95)).encode(video)
    for fine in ("fine_binary", "fine_attention"):
        np.testing.assert_array_equal(merged.frames[fine], plain.frames[fine][[0, 0, 2, 2, 4, 5]])
    np.testing.assert_array_equal(merged.coarse, plain.coarse)


def test_content_is_what_is_shown_and_when(make_features: MakeFeatures) -> None:
    video = make_features("a", 5)
    same = VideoFeatures("b", video.regions.copy(), video.times_s.copy())
    later = VideoFeatures("a", video.regions, video.times_s + 1)
    assert content_fingerprint(same) == content_fingerprint(video)
    assert len({content_fingerprint(v) for v in (video, later, make_features("b", 5))}) == 3


def test_what_cannot_be_encoded_is_refused(bundle: Bundle, make_features: MakeFeatures) -> None:
    with pytest.raises(InputError, match="a has no frame"):
        VideoEncoder(bundle).encode(make_features("a", 0))
    for fines in ((), ("teacher",), ("fine_binary", "x")):
        with pytest.raises(InputError, match="an index serves"):
            VideoEncoder(bundle, replace(bundle.index_settings, fine_networks=fines))
