"""Judges a bundle on *archives*: rankings by policy and budget beside an oracle, and segments."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from dns_core.datasets.ground_truth import read_ground_truth
from dns_core.evaluation.segments import evaluate_localisation, evaluate_segments
from dns_core.index.build import build_index
from dns_core.index.chunks import Chunking, chunk_panes
from dns_core.index.reader import Index, open_index
from dns_core.measurement.own_benchmark.plain import MeanVector
from dns_core.measurement.own_benchmark.query_groups import QueryGroups
from dns_core.measurement.trials import (
    ComparedFully,
    Rankings,
    Segments,
    bytes_on_disk,
    located_segments,
    policies,
    teacher_trial,
)
from dns_core.ports import Progress
from dns_core.records import Float32Array, Float64Array, Int64Array, VideoFeatures
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.encode import VideoEncoder, frame_spans
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.ranking import falling_order, video_scores
from dns_core.retrieval.selection import ByCoarseScore, Candidates, Policy
from dns_core.retrieval.temporal_network import temporal_network
from dns_core.store.atomic import read_json
from dns_core.store.feature_store import FeatureStore

BUDGETS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
SEED = 1

_RESAMPLED = 2000
_TENTH = 0.1
_SCORE = 0.5
_LOCATED = ("excerpt", "edited excerpt", "compilation")


@dataclass(frozen=True, slots=True)
class ByTruth:
    """Priority of an oracle: what is right first, then the highest coarse scores.

    No policy can know it. How far it is above the others is what a better one may gain at most.
    """

    right: frozenset[str]

    def priorities(self, candidates: Candidates) -> Float64Array:
        """Coarse scores ``[V]``, of right videos above all others."""
        right = np.array([video_id in self.right for video_id in candidates.ids])
        return candidates.scores.astype(np.float64) + 4.0 * right


class ChunkMeans:
    """Cosine of the mean vector of each chunk, windows too: what the coarse network has to beat.

    Args:
        database: the videos, whitened.
        chunking: how they are cut.
    """

    def __init__(self, database: list[VideoFeatures], chunking: Chunking) -> None:
        self._chunking = chunking
        means = [self._means(video)[0] for video in database]
        self._vectors = np.concatenate(means)
        self._offsets: Int64Array = np.cumsum([0, *map(len, means)])

    def scores(self, query: VideoFeatures) -> Float32Array:
        """``[V]`` in [-1, 1]."""
        means, panes = self._means(query)
        return video_scores(means @ self._vectors.T, self._offsets, panes)

    def _means(self, video: VideoFeatures) -> tuple[Float32Array, Int64Array]:
        """Of each chunk, and its pane."""
        spans = frame_spans(video, self._chunking)
        means = [video.regions[first:last].mean(axis=(0, 1)) for first, last in spans]
        units = [mean / max(float(np.linalg.norm(mean)), 1e-12) for mean in means]
        return np.stack(units), chunk_panes(video.times_s, spans)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is judged.

    Attributes:
        fine: the fine network.
        chunk_frames: frames of the longest chunk; neighbours share an eighth of it.
        teacher: whether the teacher is asked too.
    """

    fine: str
    chunk_frames: int
    teacher: bool = False


def judge(folder: Path, bundle: Bundle, judged: Judged, progress: Progress) -> dict[str, Any]:
    """Every figure of one way to cut videos.

    Args:
        folder: a benchmark that was described.
        bundle: the models.
        judged: what is judged.
        progress: shows how far it has come.
    """
    chunking = Chunking(judged.chunk_frames, judged.chunk_frames // 8)
    settings = replace(bundle.index_settings, chunking=chunking, fine_networks=(judged.fine,))
    groups = QueryGroups(read_ground_truth(folder / "ground_truth.json"), read_json(folder / "queries.json"))
    with ExitStack() as stack:
        database, queries = (
            stack.enter_context(FeatureStore.open(folder / f"{kind}.hdf5"))
            for kind in ("database", "queries")
        )
        progress.say(f"chunks of {judged.chunk_frames} frames: index, then every pair by {judged.fine}")
        encoder = VideoEncoder(bundle, settings)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        build_index(scratch, (encoder.encode(database.read(v)) for v in database.ids), encoder.origin)
        index = open_index(scratch)
        judging = _Judging(groups, ComparedFully(Engine(index, bundle, fine=judged.fine), queries))
        plain = dict(_plain(database, queries, chunking))
        if judged.teacher:
            plain["teacher"] = teacher_trial(bundle, index, database, queries).rankings
        return {
            **asdict(judged),
            "videos": index.n_videos,
            "bytes": _bytes(index, judged.fine),
            "methods": [judging.row(name, rankings) for name, rankings in plain.items()] + judging.networks(),
            "order": judging.order(),
            "selection": judging.selection(),
            "segments": judging.segments(
                located_segments(judging.compared.engine, queries, groups.truth, temporal_network)
            ),
        }


class _Judging:
    """Figures of pairs that were all compared finely."""

    def __init__(self, groups: QueryGroups, compared: ComparedFully) -> None:
        self.groups, self.compared = groups, compared
        self._right = groups.truth.positives("DSVR")

    def row(self, method: str, rankings: Rankings) -> dict[str, Any]:
        """Figures of a method, with an interval of 95 % over queries."""
        per_query = self.groups.report(rankings).per_query
        return {**self.groups.row(method, rankings), "interval": interval(per_query)}

    def networks(self) -> list[dict[str, Any]]:
        """The coarse network alone, and the fine one alone."""
        rows = (("coarse", 0.0), (self.compared.engine.fine, 1.0))
        return [self.row(name, self._ranked(ByCoarseScore(), budget)) for name, budget in rows]

    def selection(self) -> dict[str, list[dict[str, Any]]]:
        """Mean average precision and its interval by policy, at each of `BUDGETS`."""
        ways: dict[str, dict[str, Policy]] = {
            name: dict.fromkeys(self._right, policy)
            for name, policy in policies(self.compared.engine, SEED).items()
        }
        ways["oracle"] = {query: ByTruth(right) for query, right in self._right.items()}
        return {
            name: [{"budget": b, **self._mean(self.compared.rankings(way, b))} for b in BUDGETS]
            for name, way in ways.items()
        }

    def order(self) -> dict[str, float]:
        """How far the coarse order is from the fine one, as means over queries."""
        rows = [self._order(query, seen) for query, seen in self.compared.candidates.items()]
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    def segments(self, found: Segments) -> dict[str, dict[str, dict[str, float]]]:
        """By kind of query: located in the pairs that match, and of all answers from a score on."""
        answers = self._answers()
        kinds: dict[str, dict[str, dict[str, float]]] = {}
        for kind in _LOCATED:
            truth = self.groups.truth.only(self.groups.of_edit(kind))
            given = {query: answers[query] for query in truth.queries}
            kinds[kind] = {
                "located": _figures(evaluate_localisation(found, truth)),
                "answers": _figures(evaluate_segments(given, truth)),
            }
        return kinds

    def _answers(self) -> Segments:
        """Segments of the videos that score from `_SCORE` on."""
        engine = self.compared.engine
        answers: Segments = {}
        for query, ranked in self._ranked(ByCoarseScore(), 1.0).items():
            names = [video for video, score in ranked if score >= _SCORE]
            rows = np.array([engine.index.ids.index(name) for name in names], dtype=np.int64)
            segments = engine.segments(self.compared.stretches[query], rows)
            answers[query] = {name: segments[int(row)] for name, row in zip(names, rows, strict=True)}
        return answers

    def _order(self, query: str, seen: Candidates) -> dict[str, float]:
        coarse = falling_order(seen.scores, seen.ids)
        fine = falling_order(self.compared.fine[query], seen.ids)
        places, n_tenth = np.argsort(coarse), max(1, round(_TENTH * len(coarse)))
        right = np.array([seen.ids[row] in self._right[query] for row in range(len(seen.ids))])
        return {
            "rank correlation": float(np.corrcoef(places, np.argsort(fine))[0, 1]),
            "right in the first tenth of the coarse order": float((places[right] < n_tenth).mean()),
            "right in the first tenth of the fine order": float((np.argsort(fine)[right] < n_tenth).mean()),
        }

    def _ranked(self, policy: Policy, budget: float) -> Rankings:
        return self.compared.rankings(dict.fromkeys(self._right, policy), budget)

    def _mean(self, rankings: Rankings) -> dict[str, Any]:
        report = self.groups.report(rankings)
        return {"map": report.mean_average_precision, "interval": interval(report.per_query)}


def interval(per_query: Mapping[str, float]) -> tuple[float, float]:
    """The middle 95 % of means over queries that are drawn anew."""
    values = np.array([per_query[query] for query in sorted(per_query)])
    rows = np.random.default_rng(SEED).integers(len(values), size=(_RESAMPLED, len(values)))
    low, high = np.quantile(values[rows].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def _plain(
    database: FeatureStore, queries: FeatureStore, chunking: Chunking
) -> Iterator[tuple[str, Rankings]]:
    videos = [database.read(video_id) for video_id in database.ids]
    for name, method in (
        ("mean vector", MeanVector(videos)),
        ("mean of chunks", ChunkMeans(videos, chunking)),
    ):
        yield (
            name,
            {
                query: [
                    (i, float(s))
                    for i, s in zip(database.ids, method.scores(queries.read(query)), strict=True)
                ]
                for query in queries.ids
            },
        )


def _bytes(index: Index, fine: str) -> dict[str, float]:
    n_videos = max(1, index.n_videos)
    return {
        "coarse": bytes_on_disk(index, None) / n_videos,
        "all": bytes_on_disk(index, fine) / n_videos,
        "chunks": sum(entry.n_chunks for entry in index.manifest.shards) / n_videos,
    }


def _figures(found: Any) -> dict[str, float]:
    return {"precision": found.precision, "recall": found.recall, "f1": found.f1}


def print_judged(result: dict[str, Any]) -> None:
    """Tables of what `judge` returns."""
    console = Console(width=150)
    size = result["bytes"]
    console.print(
        f"{result['videos']} videos, chunks of {result['chunk_frames']} frames: {size['chunks']:.1f} chunks, "
        f"{size['coarse']:,.0f} bytes of the coarse stage and {size['all']:,.0f} in all a video"
    )
    kinds = list(result["methods"][0]["by_edit"])
    table = Table("method", "mAP", "95 %", *kinds)
    for row in result["methods"]:
        table.add_row(
            row["method"],
            f"{row['map']:.3f}",
            _range(row["interval"]),
            *(f"{row['by_edit'][k]:.2f}" for k in kinds),
        )
    console.print(table)
    console.print(", ".join(f"{name} {value:.2f}" for name, value in result["order"].items()))
    table = Table("chosen by", *(f"{budget:.0%}" for budget in BUDGETS))
    for name, cells in result["selection"].items():
        table.add_row(name, *(f"{cell['map']:.3f}" for cell in cells))
    table.add_row(
        "95 % of the first", *(_range(cell["interval"]) for cell in result["selection"]["selector"])
    )
    console.print(table)
    table = Table("segments", "", "precision", "recall", "F1")
    for kind, ways in result["segments"].items():
        for way, figures in ways.items():
            table.add_row(kind, way, *(f"{figures[name]:.3f}" for name in ("precision", "recall", "f1")))
    console.print(table)


def _range(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.2f}-{bounds[1]:.2f}"
