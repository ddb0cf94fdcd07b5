"""Logistic maps of scores to probabilities, fitted so that they always rise."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dns_core.errors import InputError, ParamsError
from dns_core.records import Float64Array

# With logits up to 16 and slopes from .05, scores in [-1, 1] that differ in their sixth decimal stay
# different as float64 probabilities: near 1 the map still rises by more than the spacing of float64.
_MAX_LOGIT = 16.0
_MIN_SLOPE = 0.05
# Keeps the fit finite where the classes do not overlap; weak beside some dozens of pairs.
_RIDGE = 1e-3
_NEWTON_STEPS = 100
_NEWTON_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True)
class Logistic:
    """The map ``1 / (1 + exp(-(slope * score + intercept)))`` of scores in [-1, 1], strictly increasing.

    Attributes:
        slope: .05 or more.
        intercept: such that a score of 1 has log-odds of 16 at most: no match is ever quite certain.
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and math.isfinite(self.intercept) and self.slope >= _MIN_SLOPE):
            raise ParamsError(f"a calibration's slope must be {_MIN_SLOPE} or more, got {self.slope}")
        if self.slope + self.intercept > _MAX_LOGIT + _NEWTON_TOLERANCE:
            raise ParamsError(f"a calibrated score of 1 must have log-odds up to {_MAX_LOGIT}, got more")

    def __call__(self, scores: npt.ArrayLike) -> Float64Array:
        """Probabilities in (0, 1), of the shape of ``scores``; NaN stays NaN."""
        return probability(self.slope * np.asarray(scores, dtype=np.float64) + self.intercept)


def probability(log_odds: npt.ArrayLike) -> Float64Array:
    """Probabilities in (0, 1) of any log-odds, without overflow; NaN stays NaN."""
    logits = np.asarray(log_odds, dtype=np.float64)
    # Each sign has its own form: the other would overflow.
    small = np.exp(-np.abs(logits))
    result: Float64Array = np.where(logits >= 0, 1 / (1 + small), small / (1 + small))
    return result


def fit_logistic(
    scores: npt.ArrayLike, targets: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> Logistic:
    """The logistic map of ``scores`` with the least cross-entropy to ``targets``.

    The targets are labels, 1 for a match and 0 for none, or probabilities. Where scores do not rise with
    targets the slope is the least that is still increasing. Pairs drawn in other proportions than a
    search meets are weighted: a map fitted on half matches calls everything likely.

    Args:
        scores: ``[N]`` raw scores in [-1, 1].
        targets: ``[N]`` in [0, 1].
        weights: ``[N]`` 0 or more; 1 each if None.

    Raises:
        InputError: there are no pairs, lengths differ, or a value is out of range.
    """
    x, y = np.asarray(scores, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(x) or not (x.shape == y.shape == w.shape) or x.ndim != 1:
        raise InputError(f"a calibration needs scores and as many targets, got {x.shape} and {y.shape}")
    if not (np.abs(x) <= 1 + 1e-5).all() or not ((y >= 0) & (y <= 1)).all() or not (w >= 0).all():
        raise InputError("a calibration needs scores in [-1, 1], targets in [0, 1] and weights from 0")
    # Written by its value at a score of 1, both limits of `Logistic` are bounds of one variable.
    design = np.stack([x - 1, np.ones_like(x)], axis=1)
    slope, top = _newton(design, y, w, np.zeros(2), free=np.array([True, True]))
    if slope < _MIN_SLOPE:
        slope, top = _newton(design, y, w, np.array([_MIN_SLOPE, top]), free=np.array([False, True]))
    if top > _MAX_LOGIT:
        slope, top = _newton(design, y, w, np.array([slope, _MAX_LOGIT]), free=np.array([True, False]))
    slope, top = max(slope, _MIN_SLOPE), min(top, _MAX_LOGIT)
    return Logistic(float(slope), float(top - slope))


def _newton(
    design: Float64Array,
    y: Float64Array,
    w: Float64Array,
    start: Float64Array,
    *,
    free: npt.NDArray[np.bool_],
) -> tuple[float, float]:
    """Minimise the weighted, slightly ridged cross-entropy over the ``free`` parameters."""
    theta = start.copy()
    part = design[:, free]
    ridge = _RIDGE * np.eye(part.shape[1])
    loss = _loss(design, y, w, theta)
    for _ in range(_NEWTON_STEPS):
        p = probability(design @ theta)
        gradient = part.T @ (w * (p - y)) + _RIDGE * theta[free]
        hessian = (part * (w * p * (1 - p))[:, None]).T @ part + ridge
        step = np.zeros(2)
        step[free] = np.linalg.solve(hessian, gradient)
        rate = 1.0
        # Newton overshoots where the sigmoid is flat; halving keeps every step an improvement.
        while (new := _loss(design, y, w, theta - rate * step)) > loss and rate > _NEWTON_TOLERANCE:
            rate /= 2
        theta, gain, loss = theta - rate * step, loss - new, new
        if gain <= _NEWTON_TOLERANCE * max(1.0, abs(loss)):
            break
    return float(theta[0]), float(theta[1])


def _loss(design: Float64Array, y: Float64Array, w: Float64Array, theta: Float64Array) -> float:
    logits = design @ theta
    return float(np.sum(w * (np.logaddexp(0, logits) - y * logits)) + _RIDGE / 2 * theta @ theta)
