import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from dns_core.errors import InputError, ParamsError
from dns_core.records import Float64Array
from dns_core.retrieval.logistic import Logistic, fit_logistic, probability


def labelled(seed: int, slope: float, intercept: float, n: int = 4000) -> tuple[Float64Array, Float64Array]:
    rng = np.random.default_rng(seed)
    scores = rng.uniform(-1, 1, n)
    return scores, (rng.random(n) < 1 / (1 + np.exp(-(slope * scores + intercept)))).astype(np.float64)


def test_the_fit_agrees_with_scikit_learn() -> None:
    for seed, (slope, intercept) in enumerate([(6.0, -2.0), (1.0, 0.5), (12.0, -9.0)]):
        scores, labels = labelled(seed, slope, intercept)
        weights = np.where(labels == 1, 0.2, 1.0)
        found = fit_logistic(scores, labels, weights)
        peer = LogisticRegression(C=1e6, tol=1e-10).fit(scores[:, None], labels, sample_weight=weights)
        assert found.slope == pytest.approx(peer.coef_[0, 0], rel=1e-3)
        assert found.intercept == pytest.approx(peer.intercept_[0], rel=1e-3, abs=1e-2)


def test_soft_targets_give_back_the_map_that_made_them() -> None:
    truth = Logistic(5.0, -1.5)
    scores = np.linspace(-1, 1, 500)
    found = fit_logistic(scores, truth(scores))
    np.testing.assert_allclose(found(scores), truth(scores), atol=1e-4)


def test_a_calibrated_score_is_the_share_of_matches() -> None:
    scores, labels = labelled(7, 6.0, -2.0, 20_000)
    probabilities = fit_logistic(scores, labels)(scores)
    for low in np.arange(0, 1, 0.2):
        inside = (probabilities >= low) & (probabilities < low + 0.2)
        assert labels[inside].mean() == pytest.approx(probabilities[inside].mean(), abs=0.03)


@pytest.mark.parametrize(
    ("scores", "targets"),
    [
        ([-0.5, 0.0, 0.5, 0.9], [0, 0, 1, 1]),  # separable: the best slope is infinite
        ([-0.5, 0.5], [1, 0]),  # the wrong way round
        ([0.3, 0.3, 0.3], [0, 1, 1]),  # no slope at all
        ([0.1, 0.9], [1, 1]),
        ([0.1, 0.9], [0, 0]),
        ([0.2], [0.5]),
        (np.repeat([-1.0, 1.0], 5000), np.repeat([0, 1], 5000)),
        (np.repeat([-1.0, -0.999], 5000), np.repeat([0, 1], 5000)),
    ],
)
def test_any_data_gives_an_increasing_map(scores: list[float], targets: list[float]) -> None:
    found = fit_logistic(scores, targets)
    grid = found(np.linspace(-1, 1, 1001))
    assert (np.diff(grid) > 0).all()
    assert 0 < grid[0] < grid[-1] < 1


@pytest.mark.parametrize(
    ("scores", "targets", "weights"),
    [
        ([], [], None),
        ([0.1], [0, 1], None),
        ([1.2], [1], None),
        ([np.nan], [1], None),
        ([0.1], [1.5], None),
        ([0.1], [1], [-1]),
        ([0.1], [1], [1, 1]),
    ],
)
def test_data_that_cannot_be_fitted_is_refused(
    scores: list[float], targets: list[float], weights: list[float] | None
) -> None:
    with pytest.raises(InputError):
        fit_logistic(scores, targets, weights)


@pytest.mark.parametrize(
    ("slope", "intercept"), [(0.0, 0.0), (-1, 0), (0.01, 0), (10, 7), (np.nan, 0), (1, np.inf)]
)
def test_a_map_that_could_make_ties_is_refused(slope: float, intercept: float) -> None:
    with pytest.raises(ParamsError):
        Logistic(slope, intercept)


def test_probabilities_of_any_log_odds_are_finite() -> None:
    found = probability([-1e4, -1.0, 0.0, 1.0, 1e4, np.nan])
    np.testing.assert_allclose(found[:5], [0, 0.26894142, 0.5, 0.73105858, 1])
    assert np.isnan(found[5])
