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

    def n_views(self, video_id: str) -> int:
        assert video_id in self.ids
        return 1


def shown(any_id: str) -> set[str]:
    return {re.split("[#@]", part)[0] for part in any_id.split("//")}


TRAIN = tuple(f"t{number}" for number in range(6))
HELD_OUT = ("h0", "h1", "h2")
SPLIT = VideoSplit(
    train=TRAIN,
    validation=HELD_OUT,
    cluster_of={**{video: number // 2 for number, video in enumerate(TRAIN)}, **dict.fromkeys(HELD_OUT, 9)},
    alike={},
)
FEATURES = Ids([*TRAIN, *HELD_OUT, *(f"{video}#0" for video in (*TRAIN, *HELD_OUT))])
CONFIG = Config(
    background_videos=4,
    background_frames=3,
    targets_per_query=20,
    spliced_share=0.5,
    videos_in_memory=8,
    seed=3,
)


def test_training_queries_never_meet_held_out_videos() -> None:
    drawn = _drawn_pairs(SPLIT, FEATURES, CONFIG)  # type: ignore[arg-type]
    for (query, target), side in zip(drawn.pairs, drawn.sides, strict=True):
        if side == "train":
            assert shown(target) <= set(TRAIN)
            assert shown(query) <= set(TRAIN)


def test_held_out_queries_meet_their_source_and_unrelated_videos_even_if_one_cluster_is_held_out() -> None:
    drawn = _drawn_pairs(SPLIT, FEATURES, CONFIG)  # type: ignore[arg-type]
    relations: dict[str, list[str]] = {}
    for (query, _), side, relation in zip(drawn.pairs, drawn.sides, drawn.relations, strict=True):
        if side == "validation":
            relations.setdefault(query, []).append(relation)
    # Three videos and as many edited copies, whole and as excerpts.
    assert len(relations) == 12
    assert set().union(*map(shown, relations)) == set(HELD_OUT)
    assert all({"copy", "unrelated"} <= set(met) for met in relations.values())


def test_a_pair_is_a_copy_if_the_target_shows_the_source_and_strange_if_no_cluster_is_shared() -> None:
    drawn = _drawn_pairs(SPLIT, FEATURES, CONFIG)  # type: ignore[arg-type]
    for (query, target), relation in zip(drawn.pairs, drawn.relations, strict=True):
        clusters = {SPLIT.cluster_of[video] for video in shown(target)}
        own = SPLIT.cluster_of[next(iter(shown(query)))]
        alike = "unknown" if own in clusters else "unrelated"
        assert relation == ("copy" if shown(query) <= shown(target) else alike)


def test_matches_and_unrelated_videos_are_whole_videos_and_parts_of_others_alike() -> None:
    drawn = _drawn_pairs(SPLIT, FEATURES, CONFIG)  # type: ignore[arg-type]
    for wanted in ("copy", "unrelated"):  # else being spliced would tell the one from the other
        spliced = [
            "//" in target
            for (_, target), relation in zip(drawn.pairs, drawn.relations, strict=True)
            if relation == wanted
        ]
        assert 0.3 < np.mean(spliced) < 0.8


def test_a_video_is_no_target_of_itself_and_the_draw_is_bounded_and_seeded() -> None:
    small = CONFIG.model_copy(update={"targets_per_query": 3})
    drawn = _drawn_pairs(SPLIT, FEATURES, small)  # type: ignore[arg-type]
    assert all(query != target for query, target in drawn.pairs)
    queries = [query for query, _ in drawn.pairs]
    assert max(queries.count(query) for query in queries) <= 3
    assert drawn == _drawn_pairs(SPLIT, FEATURES, small)  # type: ignore[arg-type]
    other = small.model_copy(update={"seed": 4})
    assert drawn != _drawn_pairs(SPLIT, FEATURES, other)  # type: ignore[arg-type]
