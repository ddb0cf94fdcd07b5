"""Losses of the self-supervised teacher and of distillation."""

import torch
from torch import Tensor
from torch.nn import functional as F


def info_nce(similarities: Tensor, ignored: Tensor, *, temperature: float) -> Tensor:
    """Scalar: cross-entropy of finding each video's own copy among the batch, both ways round.

    Args:
        similarities: ``[B, B]`` in [-1, 1]; row an anchor, column a copy; the diagonal are the true pairs.
        ignored: ``[B, B]`` bool; pairs that are neither positive nor negative (likely duplicates).
        temperature: softness of the softmax; S2VS uses .03.

    Reference: van den Oord et al., 2018; S2VS (Kordopatis-Zilos et al., CVPRW 2023), section 3.3.
    """
    logits = (similarities / temperature).masked_fill(ignored, float("-inf"))
    targets = torch.arange(len(logits), device=logits.device)
    return 0.5 * (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets))


def hard_negative_loss(similarities: Tensor, ignored: Tensor, *, margin: float = 1e-2) -> Tensor:
    """Scalar: pushes true pairs towards 1 and each anchor's hardest negative towards -1.

    Both are read as probabilities, s/2 + .5, and enter as negative log-likelihoods; values are kept
    ``margin`` away from 0 and 1 so that a saturated pair does not dominate.

    Args:
        similarities: ``[B, B]`` in [-1, 1] as in `info_nce`.
        ignored: ``[B, B]`` bool as in `info_nce`.
        margin: distance kept from 0 and 1.

    Reference: S2VS, section 3.3 (self-similarity and hard-negative loss).
    """
    probability = (similarities / 2 + 0.5).clamp(margin, 1 - margin)
    own = torch.eye(len(probability), dtype=torch.bool, device=probability.device)
    hardest = probability.masked_fill(own | ignored, margin).amax(dim=1)
    return -(probability.diagonal().log().mean() + (1 - hardest).log().mean())


def triplet_loss(positive: Tensor, negative: Tensor, *, margin: float, similarity: bool = True) -> Tensor:
    """Scalar: mean of how far a negative comes within ``margin`` of its positive (ViSiL's training).

    Args:
        positive: ``[B]`` similarities of anchors and positives, or distances.
        negative: ``[B]`` of anchors and negatives.
        margin: gap that is asked for.
        similarity: higher is closer; False for distances.

    Reference: ViSiL, ICCV 2019, equation 6.
    """
    gap = positive - negative if similarity else negative - positive
    return F.relu(margin - gap).mean()


_EPSILON = 1e-6
_LEAST_SLOPE = 0.05  # a negative slope would invert the ranking


def distillation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Scalar: mean absolute difference of two similarities (the paper, eq. 13)."""
    return F.l1_loss(student, teacher)


def rescaled(student: Tensor, teacher: Tensor) -> Tensor:
    """``[P]`` student similarities on the teacher's scale, by the best rising line for these pairs.

    What a coarse cosine is worth in the teacher's terms is for calibration to say. A student that has to
    learn the scale too bends its vectors to meet it: on 84 development videos it ended .018 mAP below
    the mean vector that it might have stayed, though its loss fell.

    Args:
        student: ``[P]`` similarities; the line is a constant to its gradient.
        teacher: ``[P]`` similarities of the same pairs.
    """
    given, wanted = student.detach(), teacher.detach()
    moved = given - given.mean()
    slope = (moved * (wanted - wanted.mean())).mean() / (moved.square().mean() + _EPSILON)
    slope = slope.clamp_min(_LEAST_SLOPE)
    return slope * (student - given.mean()) + wanted.mean()
