"""Measuring a bundle with its index, from video files to rankings."""

from pathlib import Path

import numpy as np

from dns_core.datasets.ground_truth import read_ground_truth
from dns_core.errors import VideoError
from dns_core.evaluation.gates import ReleaseFigures
from dns_core.evaluation.protocol import evaluate_rankings
from dns_core.measurement.trials import bytes_on_disk
from dns_core.ports import Progress
from dns_core.retrieval.budget import Budget
from dns_core.search import Searcher
from dns_core.workspace import Workspace


def measure_release(
    workspace: Workspace, models: Path, index: Path, budget: float, progress: Progress
) -> ReleaseFigures:
    """Figures of ``models`` searching ``index`` with the workspace's queries; the first is run twice.

    A query that cannot be read lowers coverage and precision; the other queries continue.

    Args:
        workspace: has the queries and the ground truth.
        models: folder of a bundle.
        index: that the bundle made.
        budget: share of the index that is re-ranked.
        progress: shows how far it has come.

    Raises:
        MismatchError: another bundle made the index.
        MissingArtefactError: models, index or ground truth are not there.
    """
    truth = read_ground_truth(workspace.ground_truth)
    searcher = Searcher.open(index, models)
    engine = searcher.engine()
    rankings: dict[str, list[tuple[str, float]]] = {}
    seconds: list[float] = []
    # The first query compiles kernels and maps files, which is no part of what a query takes.
    for number, query in enumerate(progress.track((truth.queries[0], *truth.queries), "measuring")):
        try:
            path = workspace.videos("queries") / query
            result = searcher.query(path, top_k=0, budget=Budget(share=budget))
        except VideoError as error:
            progress.say(f"{query}: {error}")
            continue
        if number:
            rankings[query] = [(match.video_id, match.score) for match in result.results]
            seconds.append(result.timing_ms["total"] / 1000)
    report = evaluate_rankings(rankings, truth, compared=engine.index.ids)
    return ReleaseFigures(
        map={name: task.mean_average_precision for name, task in report.tasks.items()},
        p95_query_s=float(np.percentile(seconds, 95)) if seconds else float("inf"),
        bytes_per_video=bytes_on_disk(engine.index, engine.fine) / max(engine.index.n_videos, 1),
        coverage=report.coverage,
    )
