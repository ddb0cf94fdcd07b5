"""One benchmark in one run: our networks, plain similarities and the peers on the same files."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.datasets.ground_truth import read_ground_truth
from dns_core.evaluation.segments import (
    Localisation,
    SegmentOverlap,
    evaluate_localisation,
    evaluate_segments,
)
from dns_core.index.reader import Index, open_index
from dns_core.measurement.own_benchmark.peers import Peer, installed_peers
from dns_core.measurement.own_benchmark.plain import MeanVector, RawChamfer
from dns_core.measurement.own_benchmark.query_groups import QueryGroups
from dns_core.measurement.trials import (
    Rankings,
    found_segments,
    located_segments,
    policy_rankings,
    teacher_trial,
)
from dns_core.ports import Progress
from dns_core.records import Float32Array, GroundTruth, VideoFeatures
from dns_core.retrieval.alignment import local_alignments
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.index_settings import FINE_NETWORKS
from dns_core.retrieval.localisation import PathFinder
from dns_core.retrieval.temporal_network import temporal_network
from dns_core.store.atomic import read_json, write_json
from dns_core.store.feature_store import FeatureStore
from dns_core.workspace import Workspace

BUDGETS = tuple(round(0.05 * step, 2) for step in range(21))
"""Shares of the candidates that are re-ranked, the paper's 21."""

_ROWS = {0.0: "coarse", 0.05: "dns_{fine} 5%", 0.3: "dns_{fine} 30%", 1.0: "{fine}"}
"""Budgets that have a row of their own in the table of methods."""

FORMAT = 3
"""Of what `run_benchmark` writes."""

_USUAL_BUDGET = 0.3
FINDERS: tuple[PathFinder, ...] = (temporal_network, local_alignments)
_SEEN = 10  # answers whose segments are judged


@dataclass(frozen=True, slots=True)
class BenchmarkOptions:
    """What is run.

    Attributes:
        segment_score: calibrated score from which an answer's segments count.
        peers: whether the installed peers are asked too, which decodes every file again.
        peer_fps: frames a second that they see.
        seed: of the random policy.
    """

    segment_score: float
    peers: bool = True
    peer_fps: float = 2.0
    seed: int = 1


def run_benchmark(workspace: Workspace, options: BenchmarkOptions, progress: Progress) -> dict[str, Any]:
    """Figures of every method, also written to ``artifacts/benchmark.json``.

    ``methods`` has for each its mAP over all queries, by edit and by strength, the mean over edits,
    each counting the same, and for a search with the selector what its answers from a score on are worth;
    ``selection`` the mAP at every budget by policy; ``segments`` precision, recall and F1 of matched
    stretches by kind of query, and ``localisation`` those of the pairs that do match, by either way to
    find them.

    Args:
        workspace: a benchmark made by `own_benchmark.make.make_benchmark`, in which the pipeline was run.
        options: what is run.
        progress: shows how far it has come.

    Raises:
        MissingArtefactError: the benchmark was not made, or the pipeline has not run.
    """
    made = read_json(workspace.root / "data" / "benchmark.json")
    truth = read_ground_truth(workspace.ground_truth)
    groups = QueryGroups(truth, made["queries"])
    result: dict[str, Any] = {
        "format": FORMAT,
        "config": made["config"],
        "database": len(truth.database),
        "queries": len(truth.queries),
        "absent": {},
        "budgets": list(BUDGETS),
        **_searched(workspace, groups, options, progress),
    }
    # Peers take long and may stop on a file; what is known by then is kept.
    write_json(workspace.artifacts / "benchmark.json", result)
    if options.peers:
        _add_peers(result, workspace, groups, options.peer_fps, progress)
    return result


def _searched(
    workspace: Workspace, groups: "QueryGroups", options: BenchmarkOptions, progress: Progress
) -> dict[str, Any]:
    with ExitStack() as stack:
        database, queries = (
            stack.enter_context(FeatureStore.open(workspace.whitened(name)))
            for name in ("database", "queries")
        )
        search = _Search(workspace, database, queries, progress)
        rows = [groups.row(name, rankings) for name, rankings in search.exhaustive()]
        more, selection = search.with_budgets(groups, options.seed)
        segments = search.segments(groups, options.segment_score)
        localisation = search.localisation(groups)
    return {
        "methods": rows + more,
        "selection": selection,
        "segments": segments,
        "localisation": localisation,
    }


def _add_peers(
    result: dict[str, Any], workspace: Workspace, groups: "QueryGroups", fps: float, progress: Progress
) -> None:
    peers, result["absent"] = installed_peers(fps)
    for name, peer in peers.items():
        rankings, n_failed = _asked_peer(workspace, groups.truth, name, peer, progress)
        result["methods"].append({**groups.row(name, rankings), "failed_files": n_failed})
        write_json(workspace.artifacts / "benchmark.json", result)


class _Search:
    """The ways to search that rest on whitened features."""

    def __init__(
        self, workspace: Workspace, database: FeatureStore, queries: FeatureStore, progress: Progress
    ) -> None:
        self._bundle = Bundle.load(workspace.models)
        self._index: Index = open_index(workspace.index)
        self._database, self._queries = database, queries
        self._progress = progress
        self._engines = {fine: Engine(self._index, self._bundle, fine=fine) for fine in FINE_NETWORKS}

    def exhaustive(self) -> Iterator[tuple[str, Rankings]]:
        """Name and rankings of each way that compares every video."""
        videos = [self._database.read(video_id) for video_id in self._database.ids]
        methods = {
            "raw Chamfer": RawChamfer(videos).scores,
            "raw Chamfer, best part": RawChamfer(videos, partial=True).scores,
            "mean vector": MeanVector(videos).scores,
        }
        for name, scores in methods.items():
            self._progress.say(f"benchmark: {name}")
            yield name, self._ranked(scores)
        self._progress.say("benchmark: teacher")
        yield "teacher", teacher_trial(self._bundle, self._index, self._database, self._queries).rankings

    def with_budgets(
        self, groups: QueryGroups, seed: int
    ) -> tuple[list[dict[str, Any]], dict[str, dict[str, list[float]]]]:
        """Rows of students and of DnS; and by fine network and policy the mAP at each of `BUDGETS`."""
        rows: dict[str, dict[str, Any]] = {}
        selection: dict[str, dict[str, list[float]]] = {}
        for fine, engine in self._engines.items():
            self._progress.say(f"benchmark: {fine} at {len(BUDGETS)} budgets, by the selector and others")
            curves: dict[str, list[float]] = defaultdict(list)
            for policy, budget, rankings in policy_rankings(engine, self._queries, BUDGETS, seed):
                row = groups.row(_ROWS.get(budget, "").format(fine=fine), rankings)
                curves[policy].append(row["map"])
                if policy == "selector" and budget in _ROWS:
                    rows[row["method"]] = {**row, "thresholds": groups.thresholds(rankings)}
            selection[fine] = dict(curves)
        return list(rows.values()), selection

    def segments(self, groups: QueryGroups, at_least: float) -> dict[str, dict[str, dict[str, float]]]:
        """By fine network and kind of query: precision, recall and F1 of matched stretches."""
        result: dict[str, dict[str, dict[str, float]]] = {}
        for fine, engine in self._engines.items():
            found = found_segments(engine, self._queries, _USUAL_BUDGET, top_k=_SEEN, at_least=at_least)
            result[fine] = {
                kind: _figures(evaluate_segments({q: found.get(q, {}) for q in truth.queries}, truth))
                for kind, truth in groups.kinds().items()
            }
        return result

    def localisation(self, groups: QueryGroups) -> dict[str, dict[str, dict[str, float]]]:
        """The same in the pairs that match, by fine network and path finder."""
        result: dict[str, dict[str, dict[str, float]]] = {}
        for fine, engine in self._engines.items():
            for finder in FINDERS:
                found = located_segments(engine, self._queries, groups.truth, finder)
                result[f"{fine}, {finder.__name__.replace('_', ' ')}"] = {
                    kind: _figures(evaluate_localisation(found, truth))
                    for kind, truth in groups.kinds().items()
                    if any(truth.segments.values())
                }
        return result

    def _ranked(self, scores: Callable[[VideoFeatures], Float32Array]) -> Rankings:
        return {
            query: _ranking(self._database.ids, scores(self._queries.read(query)))
            for query in self._queries.ids
        }


def _asked_peer(
    workspace: Workspace, truth: GroundTruth, name: str, peer: Peer, progress: Progress
) -> tuple[Rankings, int]:
    """A peer's ranking of the whole database for every query, and how many files it could not read."""
    described, asked = (
        [
            _described(peer, path, progress)
            for path in _files(workspace, kind, ids, f"{name}: {kind}", progress)
        ]
        for kind, ids in (("database", truth.database), ("queries", truth.queries))
    )
    rankings: Rankings = {}
    for query, found in zip(truth.queries, asked, strict=True):
        # What a peer cannot read matches nothing: its score is below all others.
        scores = [
            -1.0 if found is None or target is None else peer.score(found, target) for target in described
        ]
        rankings[query] = _ranking(truth.database, np.array(scores, dtype=np.float32))
    return rankings, sum(one is None for one in (*described, *asked))


def _described(peer: Peer, path: Path, progress: Progress) -> Any:
    """What the peer says of a file; None where it fails, however it does, for it is not our code."""
    try:
        return peer.describe(path)
    except Exception as error:  # noqa: BLE001
        progress.say(f"{path.name}: not described: {type(error).__name__}: {error}")
        return None


def _files(
    workspace: Workspace, collection: str, ids: Sequence[str], description: str, progress: Progress
) -> Iterator[Path]:
    return (workspace.videos(collection) / i for i in progress.track(ids, description, len(ids)))


def _ranking(ids: Sequence[str], scores: Float32Array) -> list[tuple[str, float]]:
    return [(video_id, float(score)) for video_id, score in zip(ids, scores, strict=True)]


def _figures(overlap: SegmentOverlap | Localisation) -> dict[str, float]:
    return {"precision": overlap.precision, "recall": overlap.recall, "f1": overlap.f1}
