from typing import Any

import numpy as np
import pytest

from dns_core.training import background_pairs
from dns_core.training.batches import view_id

IDS = ("a", "b", "c", "d")
ALIKE = {"a": frozenset("ab"), "b": frozenset("ab"), "c": frozenset("c"), "d": frozenset("d")}


class TwoViews:
    """Every video has two edited copies."""

    def n_views(self, _video_id: str) -> int:
        return 2


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []

    def matrix(_network: Any, _features: Any, query: str, target: str) -> Any:
        pairs.append((query, target))
        return np.full((2, 3), len(pairs), np.float32)

    monkeypatch.setattr(background_pairs, "_matrix", matrix)
    return pairs


def similarities(alike: dict[str, frozenset[str]] = ALIKE) -> Any:
    network: Any = None
    features: Any = TwoViews()
    return background_pairs.strange_frame_similarities(network, features, IDS, alike)


def test_every_video_meets_every_copy_of_every_stranger(compared: list[tuple[str, str]]) -> None:
    found = similarities()
    unrelated = {(one, other) for one in IDS for other in IDS if other not in ALIKE[one]}
    assert len(unrelated) == 10
    assert sorted(compared) == sorted((one, view_id(other, n)) for one, other in unrelated for n in (0, 1))
    assert found.shape == (20 * 6,)


def test_of_many_pairs_each_video_has_its_share(
    compared: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_pairs, "_MOST_PAIRS", 6)
    similarities()
    assert [one for one, _ in compared] == ["b", "b", "c", "c", "d", "d"]


def test_where_all_is_alike_nothing_is_found(compared: list[tuple[str, str]]) -> None:
    assert similarities(dict.fromkeys(IDS, frozenset(IDS))).shape == (0,)
    assert not compared
