"""Region vectors: intermediate maximum activations of convolutions over a 3x3 grid.

Reference: Kordopatis-Zilos et al., DnS, IJCV 2022, section 4.1; ViSiL, ICCV 2019, section 3.1.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from dns_core.features.cards import GRID


def region_vectors(maps: Sequence[Tensor]) -> Tensor:
    """Region descriptors ``[N, R=9, D]``, unit length along D, in single precision; D sums the channels.

    Each map is max-pooled over a 3x3 grid of windows that overlap by half, scaled to unit length over
    its channels so that each stage counts the same, and joined to the others. Regions run row by row.
    A region where all maps are zero stays zero.

    Args:
        maps: ``[N, C, H, W]`` of one batch, each with its own C and with H and W of at least 3.

    Raises:
        ValueError: a map is smaller than the grid.
    """
    stages = [F.normalize(_pool_to_grid(stage).float(), dim=1) for stage in maps]
    regions = torch.cat(stages, dim=1).flatten(2).transpose(1, 2)
    return F.normalize(regions, dim=-1)


def _pool_to_grid(stage: Tensor) -> Tensor:
    (rows, row_step), (columns, column_step) = (_window(n) for n in stage.shape[2:])
    # A window more would fit where a side is 5 or 10 (and other sides that leave a large rest).
    stage = stage[:, :, : rows + (GRID - 1) * row_step, : columns + (GRID - 1) * column_step]
    return F.max_pool2d(stage, (rows, columns), (row_step, column_step))


def _window(side: int) -> tuple[int, int]:
    """Length and step of the largest windows, half overlapping, of which three fit in ``side``.

    Sides 56, 28, 14 and 7 give 28, 14, 6 and 3: the reference's figures, which its tables hold for these
    four sides alone. (At 14 the last two rows and columns lie outside; kept, for its weights expect it.)
    """
    for length in range(side, 0, -1):
        step = -(-length // 2)
        if length + (GRID - 1) * step <= side:
            return length, step
    raise ValueError(f"a map of side {side} is smaller than the grid of {GRID}x{GRID}")
