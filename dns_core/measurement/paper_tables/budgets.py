"""Coarse scores with a share of them replaced by fine ones, as the selector asks for."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from dns_core.models.selector import Selector
from dns_core.records import Float32Array, Int64Array, ScoringRule

FloatArray = npt.NDArray[np.floating[Any]]

SHARES = tuple(round(0.05 * step, 2) for step in range(21))
"""The 21 budgets of the paper: 0 %, 5 % ... 100 %."""

# Products such as .07 * 100 = 7.000000000000001 must not cost a candidate.
_ROUNDING = 1e-9


def reranked_count(share: float, n_videos: int, rule: ScoringRule) -> int:
    """How many of ``n_videos`` a share buys.

    The reference rounds the product of two floats down, and loses one for many sizes (``.35 * 340`` is
    118.99999999999999); corrected, a share over 0 is rounded up, so that it always buys something.
    """
    product = share * n_videos
    return int(product) if rule == "reference" else math.ceil(product - _ROUNDING)


@torch.inference_mode()
def confidences(
    selector: Selector, query: float, numbers: Float32Array, coarse: Float32Array
) -> Float32Array:
    """``[V]`` in (0, 1): how sure the selector is that a pair needs the fine student.

    Args:
        selector: in evaluation mode.
        query: the query's number.
        numbers: ``[V]`` the targets' numbers.
        coarse: ``[V]`` coarse cosines.
    """
    device = next(selector.parameters()).device
    features = np.stack([np.full(len(numbers), query), numbers, coarse], axis=1).astype(np.float32)
    found: Float32Array = selector(torch.from_numpy(features).to(device)).cpu().numpy()
    return found


def selection_order(priorities: Float32Array) -> Int64Array:
    """Positions by falling priority; ties stand in the order of the ids (the reference's are unstable)."""
    return np.argsort(-priorities, kind="stable")


def reranked(coarse: FloatArray, fine: FloatArray, chosen: Int64Array) -> FloatArray:
    """``[V]`` coarse cosines, and fine similarities as s / 2 + 1/2 where ``chosen``.

    That is the scale to which coarse students are trained; it is right for no others.
    """
    scores = coarse.copy()
    scores[chosen] = fine[chosen] / 2 + 0.5
    return scores
