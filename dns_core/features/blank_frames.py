"""Frames that show nothing: black, white, or of one colour.

Their vectors are zero. They are no part of what is compared: all videos have such frames, and two that share
only these have nothing in common.
"""

from dataclasses import replace

import numpy as np
from torch import Tensor

from dns_core.records import VideoFeatures

_LEAST_DEVIATION = 4.0  # of brightness, on the scale [0, 255]; what compression leaves of black is below 2


def is_blank(images: Tensor) -> Tensor:
    """``[N]`` True where a picture of ``images`` ``[N, 3, H, W]`` in [0, 255] is of one brightness."""
    return images.float().mean(dim=1).flatten(1).std(dim=1) < _LEAST_DEVIATION


def without_blank_frames(features: VideoFeatures) -> VideoFeatures:
    """The frames that show something; the first frame alone where none does.

    Args:
        features: vectors of blank frames are zero.
    """
    shown = np.asarray(features.regions.any(axis=(1, 2)))
    if shown.all() or not len(shown):
        return features
    if not shown.any():
        shown[0] = True
    return replace(features, regions=features.regions[shown], times_s=features.times_s[shown])
