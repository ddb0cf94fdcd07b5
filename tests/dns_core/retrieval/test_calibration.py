"""Scores of both stages on one scale, against the background of a query."""

from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError, ParamsError
from dns_core.records import Float64Array
from dns_core.retrieval.calibration import Calibration, Scale, fit_frame_threshold, fit_scale
from dns_core.retrieval.logistic import Logistic

SCALE = Scale(2.0, -1.5, 0.5, -0.9, -0.5, Logistic(12.0, -1.1))


def test_what_was_not_compared_gets_the_score_to_expect() -> None:
    nothing = np.full(3, np.nan)
    np.testing.assert_allclose(SCALE.mixed([0.1, 0.5, 0.9], nothing, 0.0), [-1.3, -0.5, 0.3])


def test_expectations_follow_what_fine_scores_of_the_query_are_with_the_background() -> None:
    # a dark query: its fine scores with the background are .1 below those of unrelated videos
    standing = SCALE.standing([0.4, 0.2, 0.0], [-0.8, -0.9, -1.0])
    assert standing.shift == pytest.approx(-0.1)
    fine = np.array([0.1, np.nan, -1.0])
    np.testing.assert_allclose(SCALE.mixed([1.0, 0.9, 0.55], fine, standing.shift), [0.1, -0.45 - 0.1, -1.0])


def test_neither_step_changes_an_order() -> None:
    rng = np.random.default_rng(0)
    coarse, fine = rng.uniform(-1, 1, 50), rng.uniform(-1, 1, 50)
    fine[rng.random(50) < 0.6] = np.nan
    found = SCALE.probabilities(SCALE.mixed(coarse, fine, 0.2), -0.4)
    seen = ~np.isnan(fine)
    assert (np.argsort(found[seen]) == np.argsort(fine[seen])).all()
    assert (np.argsort(found[~seen]) == np.argsort(coarse[~seen])).all()


def test_the_same_score_means_less_where_unrelated_videos_reach_it() -> None:
    quiet = SCALE.standing(np.zeros(60), np.full(60, -0.9))
    loud = SCALE.standing(np.zeros(60), np.full(60, 0.1))
    assert SCALE.probabilities([0.2], quiet.level)[0] > 0.9
    assert SCALE.probabilities([0.2], loud.level)[0] < 0.4


def test_a_few_of_the_background_that_show_the_query_do_not_set_its_level() -> None:
    unrelated = np.linspace(-0.9, -0.7, 64)
    copies = np.concatenate([unrelated[:60], np.ones(4)])
    levels = [SCALE.standing(np.zeros(64), fine).level for fine in (unrelated, copies)]
    assert levels[1] == pytest.approx(levels[0], abs=0.02)


def test_where_nothing_is_compared_the_level_is_one_to_expect() -> None:
    coarse = np.linspace(0, 0.4, 41)
    standing = SCALE.standing(coarse, None)
    assert standing.level == pytest.approx(2.0 * 0.36 - 1.5)
    assert standing.shift == 0


def test_at_the_undecided_coarse_score_a_match_is_as_likely_as_not() -> None:
    expected = SCALE.rise * SCALE.undecided + SCALE.offset
    assert SCALE.match((expected - SCALE.level) / 2) == pytest.approx(0.5)


def _scored(n_queries: int = 60) -> tuple[Float64Array, Float64Array, Float64Array, np.ndarray]:
    """Queries of different loudness, one match and 19 unrelated videos each: coarse, fine, levels, labels."""
    rng = np.random.default_rng(0)
    loudness = rng.uniform(-0.3, 0.3, n_queries)[:, None]
    labels = np.zeros((n_queries, 20), dtype=bool)
    labels[:, 0] = True
    fine = loudness + np.where(labels, 0.3, -0.6) + rng.normal(0, 0.05, labels.shape)
    coarse = 0.4 * fine + 0.5 + rng.normal(0, 0.01, labels.shape)
    levels = np.repeat(loudness.ravel() - 0.6, 20)
    return coarse.ravel(), fine.ravel(), levels, labels.ravel()


def test_a_fitted_scale_tells_matches_from_unrelated_videos_across_queries() -> None:
    coarse, fine, levels, labels = _scored()
    scale = fit_scale(coarse, fine, levels, labels=labels, known=np.ones_like(labels))
    assert scale.rise == pytest.approx(1 / 0.4, rel=0.05)
    assert scale.level == pytest.approx(float(np.median(levels)))
    found = scale.probabilities(fine, levels)
    assert np.median(found[labels]) > 0.5
    assert found[~labels].max() < 0.1 < found[labels].min()


def test_pairs_of_unknown_relation_are_not_fitted() -> None:
    coarse, fine, levels, labels = _scored()
    wrong = labels.copy()
    wrong[1::20] = True  # unrelated ones that are called matches, but not known
    known = np.ones_like(labels)
    known[1::20] = False
    right = fit_scale(coarse, fine, levels, labels=labels, known=known)
    assert fit_scale(coarse, fine, levels, labels=wrong, known=known) == right


def test_a_scale_needs_unrelated_videos() -> None:
    coarse, fine, levels, labels = _scored()
    with pytest.raises(InputError, match="do not match"):
        fit_scale(coarse, fine, levels, labels=np.ones_like(labels), known=labels)


@pytest.mark.parametrize(
    ("rise", "offset", "level"),
    [(0.0, 0.0, 0.1), (-1.0, 0.0, 0.1), (1.0, np.nan, 0.1), (1.0, 0.0, np.nan), (1.0, 0.0, 3.0)],
)
def test_a_scale_that_means_nothing_is_refused(rise: float, offset: float, level: float) -> None:
    with pytest.raises(ParamsError):
        Scale(rise, offset, 1.0, 0.0, level, Logistic(1.0, 0.0))


def test_a_frame_threshold_lets_the_given_share_of_unrelated_videos_through() -> None:
    unrelated = np.random.default_rng(0).normal(0.2, 0.05, (100, 50))
    threshold = fit_frame_threshold(unrelated, false_alarm=0.02)
    assert (unrelated > threshold).mean() == pytest.approx(0.02, abs=1e-3)
    with pytest.raises(InputError):
        fit_frame_threshold([])
    with pytest.raises(InputError):
        fit_frame_threshold([0.1], false_alarm=0)


def test_a_calibration_survives_the_disk(tmp_path: Path) -> None:
    calibration = Calibration({"fine_binary": SCALE}, {"fine_binary": 0.1 + 0.2})
    calibration.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == calibration
    with pytest.raises(MissingArtefactError):
        Calibration.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"format": 2, "scales": {}, "frame_thresholds": {}}',
        '{"format": 3, "scales": {"teacher": 3}, "frame_thresholds": {}}',
        '{"format": 3, "scales": {"teacher": {"rise": 1}}, "frame_thresholds": {}}',
        '{"format": 3, "scales": {}, "frame_thresholds": {"fine_binary": "x"}}',
        '{"format": 3, "scales": [], "frame_thresholds": {}}',
    ],
)
def test_a_damaged_calibration_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(CorruptArtefactError, match=r"calibration\.json"):
        Calibration.load(path)


def test_what_was_never_calibrated_is_named() -> None:
    calibration = Calibration({"teacher": SCALE}, {})
    with pytest.raises(InputError, match="fine_binary is not calibrated; calibrated are: teacher"):
        calibration.scale("fine_binary")
    with pytest.raises(InputError, match="fine_binary has no frame threshold"):
        calibration.frame_threshold("fine_binary")
