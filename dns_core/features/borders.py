"""Bars around a picture, found over time and cut off: letterbox, pillarbox, a frame of one colour."""

import torch
import torch.nn.functional as F
from torch import Tensor

_LIKE = 10.0  # how far a bar's brightness may be from its middle one, on the scale [0, 255]
_SHARE = 0.98  # of a line's pixels, which lets compression and a small emblem pass
_LEAST_PICTURE = 0.3  # of a side: what leaves less is a dark scene and no bar


def without_borders(images: Tensor) -> Tensor:
    """Pictures of one scene without their bars, stretched to the size that they had.

    A line belongs to a bar if it has one brightness in all pictures, and all lines beyond it do too. Pictures
    that would keep less than 30 % of a side are left as they are.

    Args:
        images: ``[N, 3, S, S]`` in [0, 255], N at least 1.
    """
    light = images.float().mean(dim=1)
    (top, bottom), (left, right) = (_picture(light.transpose(1, 2) if turned else light) for turned in (0, 1))
    side = images.shape[-1]
    if (bottom - top, right - left) == (side, side):
        return images
    inside = images[..., top:bottom, left:right].float()
    stretched = F.interpolate(inside, (side, side), mode="bilinear", antialias=True, align_corners=False)
    return stretched.round().clamp(0, 255).to(images.dtype)


def _picture(light: Tensor) -> tuple[int, int]:
    """First row of ``light [N, H, W]`` that is not of a bar, and the one after the last."""
    rows = light.transpose(0, 1).flatten(1)
    middle = rows.median(dim=1, keepdim=True).values
    plain = ((rows - middle).abs() <= _LIKE).float().mean(dim=1) >= _SHARE
    shown = torch.nonzero(~plain).flatten().tolist()
    if not shown or shown[-1] + 1 - shown[0] < _LEAST_PICTURE * len(plain):
        return 0, len(plain)
    return shown[0], shown[-1] + 1
