"""Which pairs a selector and a calibration learn from, drawn by hand-made splits."""

import re

import numpy as np

from dns_core.stages.label_selector import Config, _drawn_pairs
from dns_core.stages.split_videos import VideoSplit


class Ids:
    """Stands for a feature set of which only ids and lengths are asked."""

    def __init__(self, ids: list[str]) -> None:
        self.ids = tuple(sorted(ids))

    def n_frames(self, video_id: str) -> int:
        assert video_id in self.ids
        return 20


TRAIN = tuple(f"t{number}" for number in range(6))
HELD_OUT = ("h0", "h1", "h2")
SPLIT = VideoSplit(
    train=TRAIN,
    validation=HELD_OUT,
    cluster_of={**{video: number // 2 for number, video in enumerate(TRAIN)}, **dict.fromkeys(HELD_OUT, 9)},
    alike={},
)
FEATURES = Ids([*TRAIN, *HELD_OUT, *(f"{video}#0" for video in (*TRAIN, *HELD_OUT))])
CONFIG = Config(targets_per_query=20, videos_in_memory=8, seed=3)


def test_training_queries_never_meet_held_out_videos() -> None:
    drawn = _drawn_pairs(SPLIT, FEATURES, CONFIG)  # type: ignore[arg-type]
    for (query, target), side in zip(drawn.pairs, drawn.sides, strict=True):
        if side == "train":
            assert target in TRAIN
            assert re.split("[#@]", query)[0] in TRAIN


def test_held_out_queries_meet_strangers_even_if_one_cluster_is_held_out() -> None:
    drawn = _drawn_pairs(SPLIT, FEATURES, CONFIG)  # type: ignore[arg-type]
    rows = np.array(drawn.sides) == "validation"
    relations = np.array(drawn.relations)[rows]
    assert set(relations) == {"copy", "stranger", "unknown"}
    # Three edited copies and six excerpts, each with its source; the same cluster is unknown, the other
    # side is strange.
    assert (relations == "copy").sum() == 9
    assert (relations == "stranger").sum() == 12 * len(TRAIN)
    excerpts = [query for query, _ in drawn.pairs if "@" in query]
    assert {re.split("[#@]", query)[0] for query in excerpts} == {*TRAIN, *HELD_OUT}


def test_a_video_is_no_target_of_itself_and_the_draw_is_bounded_and_seeded() -> None:
    small = CONFIG.model_copy(update={"targets_per_query": 3})
    drawn = _drawn_pairs(SPLIT, FEATURES, small)  # type: ignore[arg-type]
    assert all(query != target for query, target in drawn.pairs)
    queries = [query for query, _ in drawn.pairs]
    assert max(queries.count(query) for query in queries) <= 3
    assert drawn == _drawn_pairs(SPLIT, FEATURES, small)  # type: ignore[arg-type]
    other = small.model_copy(update={"seed": 4})
    assert drawn != _drawn_pairs(SPLIT, FEATURES, other)  # type: ignore[arg-type]
