import numpy as np
import pytest
import torch

from dns_core.measurement.paper_tables.budgets import SHARES, reranked_count, selection_order
from dns_core.measurement.paper_tables.encoding import lengthened
from dns_core.measurement.paper_tables.pair_scoring import matrix_score
from dns_core.models.registry import build_network
from dns_core.records import ScoringRule


@pytest.mark.parametrize(("frames", "expected"), [(1, 4), (2, 4), (3, 6), (4, 4), (9, 9)])
def test_short_videos_are_doubled_until_four_frames(frames: int, expected: int) -> None:
    regions = np.arange(frames, dtype=np.float32).reshape(-1, 1, 1)
    found = lengthened(regions)
    assert len(found) == expected
    np.testing.assert_array_equal(found, regions[np.arange(expected) % frames])


def test_a_short_match_in_a_long_video_is_not_diluted_under_our_rule() -> None:
    torch.manual_seed(0)
    matrix = torch.full((8, 64), -0.5)
    matrix[:, :8] = torch.eye(8)
    scores = {}
    rules: tuple[ScoringRule, ...] = ("reference", "corrected")
    for rule in rules:
        network = build_network("fine_attention", {"dims": 64, "compatibility": rule}).eval()
        network.load_state_dict(build_state())
        whole = matrix_score(network, matrix[:, :16])  # type: ignore[arg-type]
        pieces = [matrix_score(network, matrix[:, s : s + 16]) for s in range(0, 64, 16)]  # type: ignore[arg-type]
        scores[rule] = matrix_score(network, matrix, window_frames=16)  # type: ignore[arg-type]
        expected = np.mean(pieces) if rule == "reference" else max(pieces)
        assert scores[rule] == pytest.approx(expected, abs=1e-6)
        assert whole == pieces[0]
    assert scores["corrected"] != scores["reference"]


def build_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    return build_network("fine_attention", {"dims": 64}).state_dict()


def test_the_reference_drops_a_tail_of_under_four_frames() -> None:
    network = build_network("fine_attention", {"dims": 64, "compatibility": "reference"}).eval()
    matrix = torch.rand(8, 19)
    whole = matrix_score(network, matrix[:, :16])  # type: ignore[arg-type]
    assert matrix_score(network, matrix, window_frames=16) == whole  # type: ignore[arg-type]


def test_a_share_buys_what_it_says_but_for_the_references_rounding() -> None:
    assert reranked_count(0.35, 340, "reference") == 118
    assert reranked_count(0.35, 340, "corrected") == 119
    assert reranked_count(0.07, 100, "corrected") == 7
    assert reranked_count(0.01, 3, "corrected") == 1
    assert len(SHARES) == 21
    for rule in ("reference", "corrected"):
        assert (reranked_count(0.0, 9, rule), reranked_count(1.0, 9, rule)) == (0, 9)
    lost = sum(reranked_count(0.35, n, "reference") < round(0.35 * n, 6) // 1 for n in range(20, 5000))
    assert lost > 0


def test_ties_of_the_selector_stand_in_order() -> None:
    priorities = np.array([0.5, 0.9, 0.5, 0.5], dtype=np.float32)
    assert selection_order(priorities).tolist() == [1, 0, 2, 3]
