"""One scale for the scores of every stage: the probability that a pair matches.

The reference writes fine scores, rescaled to [0, 1], among raw coarse cosines; the two are not
comparable, and re-ranking a few pairs can then be worse than none. Here candidates that were not
re-ranked get the fine score to expect of their coarse score, moved by what re-ranking did to the same
query; and a score counts by how far it stands above what strangers of that query reach. A query that is
tiny, dark or filmed off a screen scores low with everything, one that is plain scores high.

Neither step changes the order of re-ranked videos, nor of the others.

Reference: score normalisation: Pizzi et al., SSCD, CVPR 2022, section 5.3 (there against a fixed set).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dns_core.errors import CorruptArtefactError, InputError, ParamsError
from dns_core.records import Float64Array
from dns_core.retrieval.logistic import Logistic, fit_logistic
from dns_core.store.atomic import read_json, write_json

_FORMAT = 2
# A level so high that a video in twenty reaches it; with more than one copy in twenty, copies set it.
_LEVEL_QUANTILE = 0.95
# Typical strangers join each query's own: in an index of three videos they decide.
_N_STRANGERS = 8
_MIN_RISE = 0.05  # least rise of the expected fine score with the coarse score


@dataclass(frozen=True, slots=True)
class Scale:
    """How scores of one fine network, and coarse scores beside them, become probabilities.

    Attributes:
        rise: of the fine score to expect with the coarse score; positive.
        offset: the fine score to expect at a coarse score of 0.
        strangers: fine scores in [-1, 1] at even quantiles of pairs that show nothing in common.
        match: maps half the height of a score above the query's level to the probability of a match.
    """

    rise: float
    offset: float
    strangers: tuple[float, ...]
    match: Logistic

    def __post_init__(self) -> None:
        if not (math.isfinite(self.offset) and math.isfinite(self.rise) and self.rise > 0):
            raise ParamsError(f"an expected score must rise with the coarse score, got {self.rise}")
        if not self.strangers or not all(-1.001 <= score <= 1.001 for score in self.strangers):
            raise ParamsError("a scale needs scores of strangers in [-1, 1]")

    def mixed(self, coarse: npt.ArrayLike, fine: npt.ArrayLike) -> Float64Array:
        """``[V]`` fine scores; where there is none (NaN), the one to expect of the coarse score.

        Expectations are moved by the median difference between fine and expected scores of the query.

        Args:
            coarse: ``[V]`` scores of one query.
            fine: ``[V]`` scores of the same query, NaN where it was not compared.
        """
        expected = self.rise * np.asarray(coarse, dtype=np.float64) + self.offset
        known = np.asarray(fine, dtype=np.float64)
        seen = ~np.isnan(known)
        moved = float(np.median(known[seen] - expected[seen])) if seen.any() else 0.0
        return np.where(seen, known, expected + moved)

    def probabilities(self, scores: npt.ArrayLike, typical: npt.ArrayLike | None = None) -> Float64Array:
        """``[V]`` in (0, 1) of fine scores ``[V]`` of one query, seen or expected.

        Args:
            scores: of one query.
            typical: the query's scores of videos that stand for all; ``scores`` if None.
        """
        values = np.asarray(scores, dtype=np.float64)
        return self.match(self.heights(values, values if typical is None else np.asarray(typical)))

    def heights(self, scores: Float64Array, typical: Float64Array) -> Float64Array:
        """``[V]``: half of what each score of one query stands above the level of its ``typical`` ones."""
        level = np.quantile(np.concatenate([typical, self.strangers]), _LEVEL_QUANTILE)
        return np.asarray((scores - level) / 2, dtype=np.float64)

    @property
    def undecided(self) -> float:
        """The coarse score at which a match is as likely as not, for a typical query."""
        height = -self.match.intercept / self.match.slope
        level = float(np.quantile(self.strangers, _LEVEL_QUANTILE))
        return (2 * height + level - self.offset) / self.rise


@dataclass(frozen=True, slots=True)
class Calibration:
    """The scales of one generation of models.

    Attributes:
        scales: by fine network, or ``teacher``.
        frame_thresholds: by fine network, the frame-frame similarity above which frames are taken to
            show the same.
    """

    scales: Mapping[str, Scale]
    frame_thresholds: Mapping[str, float]

    def scale(self, fine: str) -> Scale:
        """The scale of a fine network.

        Raises:
            InputError: the network was never calibrated.
        """
        if fine not in self.scales:
            known = ", ".join(sorted(self.scales))
            raise InputError(f"{fine} is not calibrated; calibrated are: {known}")
        return self.scales[fine]

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
        scales = {name: asdict(scale) for name, scale in self.scales.items()}
        thresholds = dict(self.frame_thresholds)
        write_json(path, {"format": _FORMAT, "scales": scales, "frame_thresholds": thresholds})

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
            scales = {name: _scale(entry) for name, entry in content["scales"].items()}
            thresholds = {name: float(value) for name, value in content["frame_thresholds"].items()}
        except (KeyError, TypeError, ValueError, AttributeError, ParamsError) as error:
            raise CorruptArtefactError(f"{path} is not a calibration: {error!r}") from error
        return cls(scales, thresholds)


def _scale(entry: Any) -> Scale:
    match = Logistic(float(entry["match"]["slope"]), float(entry["match"]["intercept"]))
    strangers = tuple(float(score) for score in entry["strangers"])
    return Scale(float(entry["rise"]), float(entry["offset"]), strangers, match)


def fit_scale(
    coarse: Float64Array,
    fine: Float64Array,
    queries: npt.NDArray[np.str_],
    *,
    labels: npt.NDArray[np.bool_],
    known: npt.NDArray[np.bool_],
) -> Scale:
    """The scale of a fine network from pairs that both stages scored.

    Args:
        coarse: ``[P]`` scores.
        fine: ``[P]`` scores in [-1, 1].
        queries: ``[P]`` which query a pair belongs to; its level is that of all its pairs.
        labels: ``[P]`` whether a pair matches.
        known: ``[P]`` whether the label may be relied on; the probability is fitted to these pairs.

    Raises:
        InputError: there is no known stranger, or nothing is known.
    """
    strange = fine[known & ~labels]
    if not len(strange):
        raise InputError("a calibration needs pairs that do not match, found none")
    rise, offset = np.polyfit(coarse, fine, 1) if np.ptp(coarse) else (0.0, float(fine.mean()))
    rise = max(float(rise), _MIN_RISE)
    offset = float(np.mean(fine - rise * coarse))
    quantiles = np.quantile(strange, (np.arange(_N_STRANGERS) + 0.5) / _N_STRANGERS)
    draft = Scale(rise, offset, tuple(float(q) for q in quantiles), Logistic(1.0, 0.0))
    heights = np.empty_like(fine)
    for query in np.unique(queries):
        rows = queries == query
        heights[rows] = draft.heights(fine[rows], fine[rows])
    return replace(draft, match=fit_logistic(heights[known], labels[known]))


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
