"""The layout of light and dark of each region: what is left of a picture in a tiny or blurred copy.

A network trained on photographs of some hundred pixels sees little in a copy that was once 32 pixels
high. Its coarse pattern of brightness is still there, which is what perceptual hashes rest on (PDQ;
pHash: Zauner, 2010); here it stands beside the network's vector, and the whitening weighs the two.
"""

import torch.nn.functional as F
from torch import Tensor

from dns_core.features.cards import GRID
from dns_core.features.description import CELLS

_LUMA = (0.299, 0.587, 0.114)
# Deviation of brightness, on the scale [0, 1], at which a pattern has half its full length: below it
# the pattern of a plain wall is noise.
_FAINT = 0.05


def luma_patterns(images: Tensor) -> Tensor:
    """Patterns ``[N, R=9, 64]``: of a length in [0, 1), which falls where a region is plain.

    Args:
        images: ``[N, 3, H, W]`` RGB in [0, 255], H and W at least 16.
    """
    n_cells = CELLS // 2 * (GRID + 1)
    red, green, blue = images.float().unbind(1)
    luma = (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue) / 255
    cells = F.adaptive_avg_pool2d(luma.unsqueeze(1), n_cells)
    windows = F.unfold(cells, CELLS, stride=CELLS // 2).mT
    centred = windows - windows.mean(dim=-1, keepdim=True)
    patterns: Tensor = centred / (centred.norm(dim=-1, keepdim=True) + _FAINT * CELLS)
    return patterns
