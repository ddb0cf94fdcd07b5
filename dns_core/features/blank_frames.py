"""Frames that show nothing: black, white, or of one colour.

Their vectors are zero. They are no part of what is compared: all videos have such frames, and two that share
only these have nothing in common.
"""

from dataclasses import replace

import numpy as np

from dns_core.records import VideoFeatures, pane_spans


def without_blank_frames(features: VideoFeatures) -> VideoFeatures:
    """The frames that show something; the first frame alone where none does.

    A window is kept while the whole picture is, so that panes stay apart (see `pane_spans`).

    Args:
        features: vectors of blank frames are zero.
    """
    shown = np.asarray(features.regions.any(axis=(1, 2)))
    if shown.all() or not len(shown):
        return features
    whole = slice(*pane_spans(features.times_s)[0])
    if not shown[whole].any():
        shown[0] = True
    shown &= np.isin(features.times_s, features.times_s[whole][shown[whole]])
    return replace(features, regions=features.regions[shown], times_s=features.times_s[shown])
