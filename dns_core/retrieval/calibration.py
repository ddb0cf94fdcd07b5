"""One scale for the scores of every stage: the probability that a pair matches.

The reference writes fine scores, rescaled to [0, 1], among raw coarse cosines; the two are not
comparable, and re-ranking a few pairs can then be worse than none. Here each stage has a strictly
increasing map to [0, 1]: it never changes the order within a stage, only how stages mix.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dns_core.errors import CorruptArtefactError, InputError, ParamsError
from dns_core.records import Float64Array
from dns_core.store.atomic import read_json, write_json

_FORMAT = 1
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
        return probability(self.log_odds(scores))

    def log_odds(self, scores: npt.ArrayLike) -> Float64Array:
        """Log-odds of the same probabilities, which do not crowd together at 0 and 1."""
        return self.slope * np.asarray(scores, dtype=np.float64) + self.intercept


@dataclass(frozen=True, slots=True)
class Calibration:
    """The maps of all stages of one generation of models.

    Attributes:
        maps: by stage: ``coarse``, ``fine_attention``, ``fine_binary``, ``teacher``. Fine maps give the
            probability of a match; the coarse map gives the fine probability to expect.
        frame_thresholds: by fine network, the frame-frame similarity above which frames are taken to
            show the same.
    """

    maps: Mapping[str, Logistic]
    frame_thresholds: Mapping[str, float]

    def probability(self, stage: str, scores: npt.ArrayLike) -> Float64Array:
        """Raw ``scores`` of ``stage`` on the common scale.

        Raises:
            InputError: the stage was never calibrated.
        """
        return probability(self.log_odds(stage, scores))

    def log_odds(self, stage: str, scores: npt.ArrayLike) -> Float64Array:
        """Log-odds of `probability`.

        Raises:
            InputError: the stage was never calibrated.
        """
        if stage not in self.maps:
            raise InputError(f"{stage} is not calibrated; calibrated are: {', '.join(sorted(self.maps))}")
        return self.maps[stage].log_odds(scores)

    def frame_threshold(self, fine: str) -> float:
        """Frame-frame similarity of ``fine`` from which frames are taken to match.

        Raises:
            InputError: the network was never calibrated.
        """
        if fine not in self.frame_thresholds:
            raise InputError(f"{fine} has no frame threshold; calibrate it first")
        return self.frame_thresholds[fine]

    def save(self, path: Path) -> None:
        """Write the calibration as JSON, atomically."""
        maps = {name: {"slope": m.slope, "intercept": m.intercept} for name, m in self.maps.items()}
        write_json(path, {"format": _FORMAT, "maps": maps, "frame_thresholds": dict(self.frame_thresholds)})

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """The calibration that `save` wrote.

        Raises:
            MissingArtefactError: there is no such file.
            CorruptArtefactError: the file is not a calibration of this format.
        """
        return cls._of(path, read_json(path))

    @classmethod
    def _of(cls, path: Path, content: Any) -> "Calibration":
        try:
            if content["format"] != _FORMAT:
                raise CorruptArtefactError(f"{path} has format {content['format']}, expected {_FORMAT}")
            maps = {
                name: Logistic(float(m["slope"]), float(m["intercept"]))
                for name, m in content["maps"].items()
            }
            thresholds = {name: float(value) for name, value in content["frame_thresholds"].items()}
        except (KeyError, TypeError, ValueError, AttributeError, ParamsError) as error:
            raise CorruptArtefactError(f"{path} is not a calibration: {error!r}") from error
        return cls(maps, thresholds)


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

    For a fine stage the targets are labels, 1 for a match and 0 for none; for the coarse stage they are
    the calibrated fine scores of the same pairs, so that its map gives the fine score to expect. Where
    scores do not rise with targets the slope is the least that is still increasing. Pairs drawn in other
    proportions than a search meets are weighted: a map fitted on half matches calls everything likely.

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


def fit_frame_threshold(unrelated: npt.ArrayLike, *, false_alarm: float = 0.01) -> float:
    """The similarity that a share ``false_alarm`` of frame pairs of unrelated videos exceed.

    Args:
        unrelated: frame-frame similarities of pairs of videos that show nothing in common, any shape.
        false_alarm: in (0, 1).

    Raises:
        InputError: there are none, or ``false_alarm`` is out of range.
    """
    values = np.asarray(unrelated, dtype=np.float64).ravel()
    if not len(values) or not 0 < false_alarm < 1:
        raise InputError("a frame threshold needs similarities and a false alarm rate in (0, 1)")
    return float(np.quantile(values, 1 - false_alarm))


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
