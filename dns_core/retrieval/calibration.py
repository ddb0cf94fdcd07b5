"""One scale for the scores of every stage: the probability that a pair matches.

The reference writes fine scores, rescaled to [0, 1], among raw coarse cosines; the two are not
comparable, and re-ranking a few pairs can then be worse than none. Here candidates that were not
re-ranked get the fine score to expect of their coarse score: of any pair where nothing is compared finely,
of an unrelated video where others were. A score counts by how far it is above what the query reaches with
the background (`dns_core.retrieval.background`). Nothing depends on the other videos of an index: a pair
has one score.

Neither step changes the order of re-ranked videos, nor of the others.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dns_core.errors import CorruptArtefactError, InputError, ParamsError
from dns_core.records import Float64Array
from dns_core.retrieval.logistic import Logistic, fit_logistic
from dns_core.store.seal import read_sealed_json, write_sealed_json

_FORMAT = 3
# A level that one video of the background in ten reaches. If some show what the query shows, they are fewer.
_LEVEL_QUANTILE = 0.9
_MIN_RISE = 0.05  # least rise of the expected fine score with the coarse score


@dataclass(frozen=True, slots=True)
class Standing:
    """How one query stands with the background.

    Attributes:
        level: the raw fine score that it reaches with unrelated videos.
        shift: how much higher its fine scores are than those of unrelated videos with its coarse scores.
    """

    level: float
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How scores of one fine network, and coarse scores beside them, become probabilities.

    Attributes:
        rise: of the fine score to expect with the coarse score where nothing is compared finely; positive.
        offset: that fine score at a coarse score of 0.
        stranger_rise: the same of videos that show nothing in common; positive.
        stranger_offset: likewise.
        level: of a typical query, see `Standing`.
        match: maps half the height of a score above the query's level to the probability of a match.
    """

    rise: float
    offset: float
    stranger_rise: float
    stranger_offset: float
    level: float
    match: Logistic

    def __post_init__(self) -> None:
        for rise, offset in ((self.rise, self.offset), (self.stranger_rise, self.stranger_offset)):
            if not (math.isfinite(offset) and math.isfinite(rise) and rise > 0):
                raise ParamsError(f"an expected score must rise with the coarse score, got {rise}")
        if not -1.001 <= self.level <= 1.001:
            raise ParamsError(f"a level must be in [-1, 1], got {self.level}")

    def expected(self, coarse: npt.ArrayLike) -> Float64Array:
        """``[V]`` fine scores to expect of coarse scores ``[V]`` where nothing is compared finely."""
        return np.asarray(self.rise * np.asarray(coarse, dtype=np.float64) + self.offset)

    def passed_over(self, coarse: npt.ArrayLike) -> Float64Array:
        """``[V]`` fine scores to expect of candidates that were passed over when others were compared.

        They are most likely unrelated, and their fine scores rise far less with their coarse ones.
        """
        return np.asarray(self.stranger_rise * np.asarray(coarse, dtype=np.float64) + self.stranger_offset)

    def standing(self, coarse: npt.ArrayLike, fine: npt.ArrayLike | None) -> Standing:
        """How a query stands, by its scores with the background.

        Args:
            coarse: ``[N]`` coarse scores.
            fine: ``[N]`` fine scores; None where nothing of the query is compared finely.
        """
        if fine is None:
            return Standing(fine_level(self.expected(coarse)))
        differences = np.asarray(fine, dtype=np.float64) - self.passed_over(coarse)
        return Standing(fine_level(fine), float(np.median(differences)))

    def mixed(self, coarse: npt.ArrayLike, fine: npt.ArrayLike, shift: float) -> Float64Array:
        """``[V]`` fine scores; where there is none (NaN), the one to expect of the coarse score.

        Args:
            coarse: ``[V]`` scores of one query.
            fine: ``[V]`` scores of the same query, NaN where it was not compared.
            shift: of the query's `Standing`.
        """
        known = np.asarray(fine, dtype=np.float64)
        unseen = np.isnan(known)
        if unseen.all():
            return self.expected(coarse)
        return np.where(unseen, self.passed_over(coarse) + shift, known)

    def probabilities(self, scores: npt.ArrayLike, level: float | Float64Array) -> Float64Array:
        """``[V]`` in (0, 1) of fine scores ``[V]``, seen or expected.

        Args:
            scores: of one query, or of several with a level each.
            level: of the query's `Standing`.
        """
        return self.match(_heights(scores, level))

    @property
    def undecided(self) -> float:
        """The coarse score at which a match is as likely as not, for a typical query."""
        height = -self.match.intercept / self.match.slope
        return (2 * height + self.level - self.offset) / self.rise


def fine_level(scores: npt.ArrayLike) -> float:
    """The level of a query that has the fine ``scores [N]`` with the background."""
    return float(np.quantile(np.asarray(scores, dtype=np.float64), _LEVEL_QUANTILE))


def _heights(scores: npt.ArrayLike, level: float | Float64Array) -> Float64Array:
    return np.asarray((np.asarray(scores, dtype=np.float64) - level) / 2, dtype=np.float64)


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
        write_sealed_json(path, {"format": _FORMAT, "scales": scales, "frame_thresholds": thresholds})

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """The calibration that `save` wrote.

        Raises:
            MissingArtefactError: there is no such file.
            CorruptArtefactError: the file is not a calibration of this format.
        """
        return cls._of(path, read_sealed_json(path))

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
    return Scale(
        rise=float(entry["rise"]),
        offset=float(entry["offset"]),
        stranger_rise=float(entry["stranger_rise"]),
        stranger_offset=float(entry["stranger_offset"]),
        level=float(entry["level"]),
        match=match,
    )


def fit_scale(
    coarse: Float64Array,
    fine: Float64Array,
    levels: Float64Array,
    *,
    labels: npt.NDArray[np.bool_],
    known: npt.NDArray[np.bool_],
) -> Scale:
    """The scale of a fine network from pairs that both stages scored.

    Args:
        coarse: ``[P]`` scores.
        fine: ``[P]`` scores in [-1, 1].
        levels: ``[P]`` of the pair's query, see `Standing`.
        labels: ``[P]`` whether a pair matches.
        known: ``[P]`` whether the label may be relied on; the probability is fitted to these pairs.

    Raises:
        InputError: there is no known unrelated video, or nothing is known.
    """
    strange = known & ~labels
    if not strange.any():
        raise InputError("a calibration needs pairs that do not match, found none")
    match = fit_logistic(_heights(fine, levels)[known], labels[known])
    lines = (*_line(coarse, fine), *_line(coarse[strange], fine[strange]))
    return Scale(*lines, float(np.median(levels)), match)


def _line(coarse: Float64Array, fine: Float64Array) -> tuple[float, float]:
    """Rise and offset of the fine score with the coarse score, by least squares."""
    rise = float(np.polyfit(coarse, fine, 1)[0]) if np.ptp(coarse) else 0.0
    rise = max(rise, _MIN_RISE)
    return rise, float(np.mean(fine - rise * coarse))


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
