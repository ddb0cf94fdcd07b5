"""Stage ``label_selector``.

Reads: the teacher and the students, artifacts/split.json, whitened train and views.
Writes: artifacts/pairs/scored.parquet (query, target, side, relation, each network's similarity, and the
    query's level with it and with coarse scores alone), artifacts/models/background.safetensors (videos
    that give the scores of a query with unrelated ones) and artifacts/models/calibration.json (raw scores to
    probabilities of a match).
Params: label_selector.
Repeats exactly: yes, seeded, on any fleet; an interrupted run resumes with the queries that are left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from pydantic import Field

from dns_core.models.checkpoints import load_network
from dns_core.models.coarse import CoarseStudent
from dns_core.models.live import LiveCoarse
from dns_core.models.pair_network import PairNetwork
from dns_core.records import Float32Array, VideoFeatures
from dns_core.retrieval.background import Background, drawn_background
from dns_core.retrieval.background_scores import BackgroundCoarse
from dns_core.retrieval.bundle import BACKGROUND_FILE
from dns_core.retrieval.calibration import Calibration, Scale, fine_level, fit_frame_threshold, fit_scale
from dns_core.stages.shared.pair_scores import rows_by_query
from dns_core.stages.shared.pair_tasks import answers, scores_of, scoring
from dns_core.stages.shared.query_standings import STANDINGS
from dns_core.stages.shared.training_features import training_features
from dns_core.stages.split_videos import VideoSplit, read_split
from dns_core.training.background_pairs import strange_frame_similarities
from dns_core.training.batches import (
    FeatureSet,
    excerpt_id,
    random_excerpt,
    source_id,
    source_ids,
    spliced_id,
    view_id,
)
from dns_core.training.mining import write_table
from dns_core.training.scoring import coarse_vectors
from dns_core.workspace import StageConfig, StageContext

FINE = ("teacher", "fine_attention", "fine_binary")


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        background_videos: drawn from the training side, one of each cluster of shared footage at most.
        background_frames: of each at most.
        targets_per_query: videos compared with each query at most; all of its side if there are fewer.
        spliced_share: share of those videos that are met as a part of another one.
        videos_in_memory: videos that a worker keeps for the next pair; bounds the memory, not the result.
        seed: of the draw of targets.
    """

    background_videos: int = Field(ge=1)
    background_frames: int = Field(ge=1)
    targets_per_query: int = Field(ge=2)
    spliced_share: float = Field(ge=0, le=1)
    videos_in_memory: int = Field(ge=1)
    seed: int


@dataclass(frozen=True, slots=True)
class _Pairs:
    """``[P]`` rows: ids, side of the split, and what is known without labels.

    ``relation`` is ``copy`` (the target shows the query's source), ``unrelated`` (all that it shows is of
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
        background = _background(split, features, config)
        background.save(context.workspace.models / BACKGROUND_FILE)  # workers read it
        coarse = _CoarseScores(context, features, background)
        coarse_scores = coarse.pairs(drawn.pairs)
        queries = sorted({query for query, _ in drawn.pairs})
        coarse_background = {query: coarse.background(query) for query in queries}
        columns: dict[str, Any] = {"coarse": coarse_scores}
        scales: dict[str, Scale] = {}
        thresholds: dict[str, float] = {}
        for name in FINE:
            scores, standings = _fine_scores(config, context, name, drawn.pairs)
            scales[name] = _scale(drawn, coarse_scores, scores, standings)
            columns |= {name: scores} | _standing_columns(
                name, drawn, scales[name], coarse_background, standings
            )
            network = _fine_network(context, name)
            unrelated = strange_frame_similarities(network, features, split.validation, split.alike)
            thresholds[name] = fit_frame_threshold(unrelated)
    Calibration(scales, thresholds).save(context.workspace.models / "calibration.json")
    ids = dict(zip(("query", "target"), zip(*drawn.pairs, strict=True), strict=True))
    facts = {"side": drawn.sides, "relation": drawn.relations}
    write_table(context.workspace.table("scored"), {**ids, **facts, **columns})
    for name in FINE:
        _journal(context, name).unlink()
    context.progress.say(f"{len(drawn.pairs)} pairs scored by coarse, {', '.join(FINE)}")


def _background(split: VideoSplit, features: FeatureSet, config: Config) -> Background:
    """Excerpts of training videos, of different footage."""
    rng = np.random.default_rng([config.seed, 1])
    drawn = [split.train[row] for row in rng.permutation(len(split.train))]
    by_cluster = {split.cluster_of[video_id]: video_id for video_id in drawn}
    chosen = list(by_cluster.values())[: config.background_videos]
    videos = [
        VideoFeatures(v, features.regions(v), np.arange(features.n_frames(v), dtype=np.float64))
        for v in chosen
    ]
    return drawn_background(videos, config.background_frames, config.seed)


def _fine_scores(
    config: Config, context: StageContext, name: str, pairs: Sequence[tuple[str, str]]
) -> tuple[Float32Array, dict[str, Float32Array]]:
    """Similarities ``[P]`` of the pairs, and by query its fine scores with the background."""
    background = str((context.workspace.models / BACKGROUND_FILE).absolute())
    work = scoring(context.workspace, name, config.videos_in_memory, worker=STANDINGS, background=background)
    found = answers(context, work, pairs, _journal(context, name))
    standings = [np.array(facts["background"], dtype=np.float32) for facts in found]
    return scores_of(found, pairs), dict(zip(rows_by_query(pairs), standings, strict=True))


def _journal(context: StageContext, name: str) -> Path:
    return context.workspace.partial(f"label_selector-{name}.jsonl")


def _scale(
    drawn: _Pairs, coarse: Float32Array, fine: Float32Array, standings: Mapping[str, Float32Array]
) -> Scale:
    """The scale of a fine network: the probability of a copy is fitted on held-out pairs."""
    relations = np.array(drawn.relations)
    known = (np.array(drawn.sides) == "validation") & (relations != "unknown")
    levels = np.array([fine_level(standings[query]) for query, _ in drawn.pairs])
    pairs = coarse.astype(np.float64), fine.astype(np.float64), levels
    return fit_scale(*pairs, labels=relations == "copy", known=known)


def _standing_columns(
    name: str,
    drawn: _Pairs,
    scale: Scale,
    coarse: Mapping[str, Float32Array],
    fine: Mapping[str, Float32Array],
) -> dict[str, list[float]]:
    """Of each pair, its query's level with one network, and with coarse scores alone."""
    seen = {query: scale.standing(coarse[query], fine[query]).level for query in fine}
    unseen = {query: scale.standing(coarse[query], None).level for query in fine}
    return {
        f"{name}_level": [seen[query] for query, _ in drawn.pairs],
        f"{name}_coarse_level": [unseen[query] for query, _ in drawn.pairs],
    }


def _drawn_pairs(split: VideoSplit, features: FeatureSet, config: Config) -> _Pairs:
    """Every video and edited copy as a query, and an excerpt of each, against its source and others.

    Some videos are met as a part of another one (`_spliced`): an archive holds such matches, a vector
    shows little of them, and selector and calibration would otherwise learn from whole copies alone.

    Training queries only meet videos to learn from. Held-out queries meet all videos: those of the other
    side are of other clusters by construction, so there are unrelated ones even if one cluster is held out.
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
        unrelated = [other for other in members if split.cluster_of[other] != split.cluster_of[video]]
        if unrelated:
            parts.append(unrelated[int(rng.integers(len(unrelated)))])
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
    return "unknown" if split.cluster_of[own] in clusters else "unrelated"


def _fine_network(context: StageContext, name: str) -> PairNetwork:
    loaded = load_network(context.workspace.model(name), expect=name)
    return cast("PairNetwork", loaded.network.to(context.device))


class _CoarseScores:
    """Coarse scores of pairs, and of queries with the background."""

    def __init__(self, context: StageContext, features: FeatureSet, background: Background) -> None:
        loaded = load_network(context.workspace.model("coarse"), expect="coarse")
        self._network = cast("CoarseStudent", loaded.network.to(context.device))
        self._features = features
        self._background = BackgroundCoarse(LiveCoarse(self._network), background)
        self._vectors: dict[str, Float32Array] = {}

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> Float32Array:
        """``[P]`` cosines."""
        ids = sorted({video_id for pair in pairs for video_id in pair})
        self._vectors = coarse_vectors(self._network, self._features, ids)
        return np.array([self._vectors[q] @ self._vectors[t] for q, t in pairs], dtype=np.float32)

    def background(self, query: str) -> Float32Array:
        """``[N]`` cosines of a query of `pairs`."""
        return self._background.scores(self._vectors[query][None])
