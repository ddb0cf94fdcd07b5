"""Stage ``label_selector``.

Reads: the teacher and the students, artifacts/split.json, whitened train and views.
Writes: artifacts/pairs/scored.parquet (query, target, side, relation, and each network's similarity) and
    artifacts/models/calibration.json (raw scores to probabilities of a match).
Params: label_selector.
Repeats exactly: yes, seeded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from pydantic import Field

from dns_core.models.checkpoints import load_network
from dns_core.models.coarse import CoarseStudent
from dns_core.models.pair_network import PairNetwork
from dns_core.records import Float32Array
from dns_core.retrieval.calibration import Calibration, fit_frame_threshold, fit_scale
from dns_core.stages.context import StageConfig, StageContext
from dns_core.stages.pair_scores import pair_scores
from dns_core.stages.split_videos import VideoSplit, read_split
from dns_core.stages.training_features import training_features
from dns_core.training.batches import FeatureSet, excerpt_id, random_excerpt, source_id
from dns_core.training.calibrating import strange_frame_similarities
from dns_core.training.mining import write_table
from dns_core.training.scoring import coarse_vectors

FINE = ("teacher", "fine_attention", "fine_binary")


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        targets_per_query: videos compared with each query at most; all of its side if there are fewer.
        videos_in_memory: videos kept for the next pair; bounds the memory, not the result.
        seed: of the draw of targets.
    """

    targets_per_query: int = Field(ge=2)
    videos_in_memory: int = Field(ge=1)
    seed: int


@dataclass(frozen=True, slots=True)
class _Pairs:
    """``[P]`` rows: ids, side of the split, and what is known without labels.

    ``relation`` is ``copy`` (one is an edited copy or an excerpt of the other), ``stranger`` (of different
    clusters of shared footage) or ``unknown``.
    """

    pairs: list[tuple[str, str]]
    sides: list[str]
    relations: list[str]


def run(config: Config, context: StageContext) -> None:
    """Let every network score queries against videos as a search would, and calibrate the scores."""
    split = read_split(context.workspace)
    with training_features(context.workspace) as features:
        drawn = _drawn_pairs(split, features, config)
        scores = {"coarse": _coarse_scores(context, features, drawn.pairs)}
        thresholds: dict[str, float] = {}
        for name in FINE:
            network = _fine_network(context, name)
            scores[name] = pair_scores(
                network,
                features,
                drawn.pairs,
                videos_in_memory=config.videos_in_memory,
                progress=context.progress,
            )
            strangers = strange_frame_similarities(network, features, split.validation, split.alike)
            thresholds[name] = fit_frame_threshold(strangers)
    calibration = _calibrated(drawn, scores, thresholds)
    calibration.save(context.workspace.models / "calibration.json")
    queries, targets = zip(*drawn.pairs, strict=True)
    columns = {"query": queries, "target": targets, "side": drawn.sides, "relation": drawn.relations}
    write_table(context.workspace.table("scored"), {**columns, **scores})
    context.progress.say(f"{len(drawn.pairs)} pairs scored by coarse, {', '.join(FINE)}")


def _calibrated(
    drawn: _Pairs, scores: Mapping[str, Float32Array], thresholds: Mapping[str, float]
) -> Calibration:
    """Scales of the fine networks: probabilities of a copy are fitted on held-out pairs."""
    relations = np.array(drawn.relations)
    known = (np.array(drawn.sides) == "validation") & (relations != "unknown")
    queries = np.array([query for query, _ in drawn.pairs])
    coarse = scores["coarse"].astype(np.float64)
    scales = {
        name: fit_scale(
            coarse, scores[name].astype(np.float64), queries, labels=relations == "copy", known=known
        )
        for name in FINE
    }
    return Calibration(scales, thresholds)


def _drawn_pairs(split: VideoSplit, features: FeatureSet, config: Config) -> _Pairs:
    """Every video and edited copy as a query, and an excerpt of each, against its source and others.

    Training queries only meet videos to learn from. Held-out queries meet all videos: those of the other
    side are of other clusters by construction, so there are strangers even if one cluster is held out.
    """
    drawn = _Pairs([], [], [])
    sources = frozenset(split.cluster_of)
    searched = {"train": split.train, "validation": (*split.validation, *split.train)}
    for side, members in (("train", split.train), ("validation", split.validation)):
        whole = [query for query in features.ids if source_id(query, sources) in set(members)]
        rng = np.random.default_rng(config.seed)
        queries = [
            *whole,
            *(excerpt_id(query, random_excerpt(features.n_frames(query), rng)) for query in whole),
        ]
        for number, query in enumerate(queries):
            own = source_id(query, sources)
            rng = np.random.default_rng([config.seed, number])
            for target in _targets(query, own, searched[side], config.targets_per_query, rng):
                drawn.pairs.append((query, target))
                drawn.sides.append(side)
                drawn.relations.append(_relation(own, target, split))
    return drawn


def _targets(query: str, own: str, members: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    others = [target for target in members if target != own]
    drawn = [others[row] for row in rng.permutation(len(others))[: count - 1]]
    return drawn if query == own else [own, *drawn]


def _relation(own: str, target: str, split: VideoSplit) -> str:
    if own == target:
        return "copy"
    return "unknown" if split.cluster_of[own] == split.cluster_of[target] else "stranger"


def _fine_network(context: StageContext, name: str) -> PairNetwork:
    loaded = load_network(context.workspace.model(name), expect=name)
    return cast("PairNetwork", loaded.network.to(context.device))


def _coarse_scores(
    context: StageContext, features: FeatureSet, pairs: Sequence[tuple[str, str]]
) -> Float32Array:
    loaded = load_network(context.workspace.model("coarse"), expect="coarse")
    network = cast("CoarseStudent", loaded.network.to(context.device))
    vectors = coarse_vectors(network, features, sorted({video_id for pair in pairs for video_id in pair}))
    return np.array([vectors[query] @ vectors[target] for query, target in pairs], dtype=np.float32)
