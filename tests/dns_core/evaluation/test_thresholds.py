import numpy as np
import pytest

from dns_core.evaluation.thresholds import thresholds
from dns_core.records import GroundTruth

IDS = tuple(f"v{n}" for n in range(102))
TRUTH = GroundTruth(("q",), IDS, {"q": {"v0": "ND", "v1": "ND"}}, {"DSVR": ("ND",)})


def test_thresholds_by_hand() -> None:
    # A hundred unrelated videos of .00, .01 .. .99 and two copies.
    rows = [("v0", 0.985), ("v1", 0.5), *((f"v{n + 2}", n / 100) for n in range(100))]
    least, half, high, none = thresholds(
        {"q": rows}, TRUTH, "DSVR", false_positive_rate=0.02, scores=(0.5, 0.99, 1.0)
    )
    assert 0.97 < least.score < 0.98
    np.testing.assert_allclose(least[1:], (0.02, 0.5, 1 / 3))
    np.testing.assert_allclose(half[1:], (0.5, 1.0, 2 / 52))
    assert high[1:] == (0.01, 0.0, 0.0)
    assert none[1:] == (0.0, 0.0, 1.0)


def test_unrelated_pairs_of_one_score_are_not_separated() -> None:
    rows = [("v0", 0.9), ("v1", 0.2), *((f"v{n + 2}", 0.3) for n in range(100))]
    (least,) = thresholds({"q": rows}, TRUTH, "DSVR", false_positive_rate=0.05)
    assert least.score == np.nextafter(0.3, 1)
    assert least[1:] == (0.0, 0.5, 1.0)


def test_pairs_of_one_kind_alone_have_no_threshold() -> None:
    with pytest.raises(ValueError, match="found 2 true, 0 others"):
        thresholds({"q": [("v0", 0.9), ("v1", 0.2)]}, TRUTH, "DSVR", false_positive_rate=0.05)
