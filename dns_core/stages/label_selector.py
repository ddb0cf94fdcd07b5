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
from dns_core.training.batches import (
    FeatureSet,
    excerpt_id,
    random_excerpt,
    source_id,
    source_ids,
    spliced_id,
    view_id,
)
from dns_core.training.calibrating import strange_frame_similarities
from dns_core.training.mining import write_table
from dns_core.training.scoring import coarse_vectors

FINE = ("teacher", "fine_attention", "fine_binary")


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        targets_per_query: videos compared with each query at most; all of its side if there are fewer.
        spliced_share: share of those videos that are met as a part of another one.
        videos_in_memory: videos kept for the next pair; bounds the memory, not the result.
        seed: of the draw of targets.
    """

    targets_per_query: int = Field(ge=2)
    spliced_share: float = Field(ge=0, le=1)
    videos_in_memory: int = Field(ge=1)
    seed: int


@dataclass(frozen=True, slots=True)
class _Pairs:
    """``[P]`` rows: ids, side of the split, and what is known without labels.

    ``relation`` is ``copy`` (the target shows the query's source), ``stranger`` (all that it shows is of
    other clusters of shared footage) or ``unknown``.
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

    Some videos are met as a part of another one (`_spliced`): an archive holds such matches, a vector
    shows little of them, and selector and calibration would otherwise learn from whole copies alone.

    Training queries only meet videos to learn from. Held-out queries meet all videos: those of the other
    side are of other clusters by construction, so there are strangers even if one cluster is held out.
    """
    drawn = _Pairs([], [], [])
    sources = frozenset(split.cluster_of)
    searched = {"train": split.train, "validation": (*split.validation, *split.train)}
    for side, members in (("train", split.train), ("validation", split.validation)):
        spliced = _spliced(searched[side], split, features, config.seed)
        whole = [query for query in features.ids if source_id(query, sources) in set(members)]
        rng = np.random.default_rng(config.seed)
        queries = [
            *whole,
            *(excerpt_id(query, random_excerpt(features.n_frames(query), rng)) for query in whole),
        ]
        for number, query in enumerate(queries):
            own = source_id(query, sources)
            rng = np.random.default_rng([config.seed, number])
            for video in _targets(own, searched[side], config.targets_per_query, rng):
                part = video == query or rng.random() < config.spliced_share
                target = spliced[video] if part else video
                drawn.pairs.append((query, target))
                drawn.sides.append(side)
                drawn.relations.append(_relation(own, source_ids(target, sources), split))
    return drawn


def _spliced(members: Sequence[str], split: VideoSplit, features: FeatureSet, seed: int) -> dict[str, str]:
    """By video: an excerpt of it or of an edited copy, followed by an excerpt of another cluster's video."""
    rng = np.random.default_rng([seed, 2**31])
    spliced: dict[str, str] = {}
    for video in members:
        version = int(rng.integers(features.n_views(video) + 1))
        parts = [view_id(video, version - 1) if version else video]
        strangers = [other for other in members if split.cluster_of[other] != split.cluster_of[video]]
        if strangers:
            parts.append(strangers[int(rng.integers(len(strangers)))])
        spliced[video] = spliced_id(
            *(excerpt_id(part, random_excerpt(features.n_frames(part), rng)) for part in parts)
        )
    return spliced


def _targets(own: str, members: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    others = [target for target in members if target != own]
    return [own, *(others[row] for row in rng.permutation(len(others))[: count - 1])]


def _relation(own: str, shown: frozenset[str], split: VideoSplit) -> str:
    if own in shown:
        return "copy"
    clusters = {split.cluster_of[source] for source in shown}
    return "unknown" if split.cluster_of[own] in clusters else "stranger"


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
