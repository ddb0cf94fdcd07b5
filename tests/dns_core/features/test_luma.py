import numpy as np
import skimage.data
import torch

from dns_core.features.description import LUMA_DIMS
from dns_core.features.luma import luma_patterns
from dns_core.records import UInt8Array


def _picture(name: str) -> UInt8Array:
    picture: UInt8Array = getattr(skimage.data, name)()
    return picture


def _photograph(side: int, name: str = "astronaut") -> torch.Tensor:
    picture = torch.from_numpy(_picture(name)).permute(2, 0, 1).float()
    return torch.nn.functional.interpolate(picture[None], (side, side), mode="area")


def test_nine_patterns_shorter_than_one() -> None:
    patterns = luma_patterns(_photograph(224))
    assert patterns.shape == (1, 9, LUMA_DIMS)
    lengths = patterns.norm(dim=-1)
    assert ((lengths > 0.5) & (lengths < 1)).all()


def test_a_tiny_copy_keeps_its_pattern_and_another_picture_has_another() -> None:
    whole = _photograph(224)
    tiny = torch.nn.functional.interpolate(_photograph(32), (224, 224), mode="bilinear")
    other = _photograph(224, "coffee")
    cosine = torch.nn.functional.cosine_similarity
    ours = luma_patterns(whole)
    assert cosine(ours, luma_patterns(tiny), dim=-1).min() > 0.98
    assert cosine(ours, luma_patterns(other), dim=-1).mean() < 0.5


def test_brightness_and_contrast_do_not_matter_much() -> None:
    whole = _photograph(224)
    ours, dimmed = luma_patterns(whole), luma_patterns(whole * 0.5 + 60)
    assert torch.nn.functional.cosine_similarity(ours, dimmed, dim=-1).min() > 0.999
    assert (dimmed.norm(dim=-1) < ours.norm(dim=-1)).all()


def test_a_plain_picture_has_no_pattern() -> None:
    assert luma_patterns(torch.full((2, 3, 224, 224), 90.0)).abs().max() < 1e-5


def test_regions_run_row_by_row() -> None:
    picture = torch.zeros(1, 3, 32, 32)
    picture[..., :16, ::2] = 255.0  # stripes that only the cells of the upper half see
    picture[..., :4, :] = 255.0
    lengths = luma_patterns(picture).norm(dim=-1)[0].numpy()
    assert (lengths[:3] > lengths[6:]).all()
    np.testing.assert_allclose(lengths[6:], 0, atol=1e-6)


def test_whole_numbers_are_read_as_they_are() -> None:
    picture = torch.from_numpy(_picture("astronaut")[:64, :64].copy()).permute(2, 0, 1)[None]
    torch.testing.assert_close(luma_patterns(picture), luma_patterns(picture.float()))
