from dns_core.evaluation.reliability import reliability
from dns_core.records import GroundTruth

TRUTH = GroundTruth(
    queries=("p", "q"),
    database=("a", "b", "c", "p"),
    labels={"p": {"a": "ND", "p": "ND"}, "q": {"b": "IS"}},
    tasks={"DSVR": ("ND",)},
)


def test_bins_by_hand() -> None:
    rankings = {
        # The query itself and a video outside the database are not judged.
        "p": [("p", 0.99), ("a", 0.96), ("unrelated", 0.95), ("b", 0.92), ("c", 0.05)],
        "q": [("a", 0.01), ("b", 1.0), ("c", 0.09)],
    }
    low, high = reliability(rankings, TRUTH, "DSVR")
    assert (round(low.predicted, 6), low.observed, low.n_pairs) == (0.05, 0.0, 3)
    assert (round(high.predicted, 6), round(high.observed, 6), high.n_pairs) == (0.96, 0.333333, 3)


def test_no_pair_has_no_bin() -> None:
    assert reliability({}, TRUTH, "DSVR") == []
