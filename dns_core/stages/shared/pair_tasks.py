"""Pairs of videos scored on a fleet, a task a query; an interrupted run keeps what is done."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import cast

import numpy as np
from threadpoolctl import threadpool_limits

from dns_core.errors import ArtefactError, MismatchError
from dns_core.fleet import Json, LocalFleet, Place, Task, Work, run_all
from dns_core.models.checkpoints import load_network
from dns_core.models.network_file import read_network_file
from dns_core.models.pair_network import PairNetwork
from dns_core.records import Float32Array
from dns_core.stages.shared.pair_scores import PairScorer, rows_by_query
from dns_core.stages.shared.training_features import training_features
from dns_core.store.fingerprints import fingerprint_json
from dns_core.store.journal import append_line, whole_lines, write_lines
from dns_core.workspace import StageContext, Workspace

PAIRS = "dns_core.stages.shared.pair_tasks:PairWorker"
WORTH = 5000
"""Pairs, of some milliseconds each; for fewer, this process is ready before others have loaded torch."""
_FEATURE_BYTES = 500_000_000  # a worker keeps in memory


class PairWorker:
    """Scores a query with its targets; see `do`.

    Args:
        settings: as `scoring` makes them.
        place: where it runs.

    Raises:
        MismatchError: the network here is another one.
    """

    def __init__(self, settings: Json, place: Place) -> None:
        workspace, name = Workspace(Path(settings["root"])), settings["network"]
        loaded = load_network(workspace.model(name), expect=name)
        if loaded.fingerprint != settings["fingerprint"]:
            raise MismatchError(str(workspace.model(name)), settings["fingerprint"], loaded.fingerprint)
        network = cast("PairNetwork", loaded.network.to(place.device))
        self._opened = ExitStack()
        features = self._opened.enter_context(training_features(workspace, limit_bytes=_FEATURE_BYTES))
        self.scorer = PairScorer(network, features, settings["videos_in_memory"])

    def do(self, task: Task) -> Json:
        """``scores``: similarities in [-1, 1] of the query, the task's id, with each of its ``targets``."""
        with threadpool_limits(1):  # sums round by how many threads compute them
            return self.answer(task)

    def answer(self, task: Task) -> Json:
        """As `do`, on whatever threads there are."""
        return {"scores": self.scorer.scores(task.id, task.facts["targets"]).tolist()}

    def close(self) -> None:
        """Close the features."""
        self._opened.close()


def scoring(
    workspace: Workspace, network: str, videos_in_memory: int, *, worker: str = PAIRS, **settings: str
) -> Work:
    """The work of scoring pairs with a network of the bundle.

    Args:
        workspace: holds network and features.
        network: its name.
        videos_in_memory: videos that a worker keeps for the next pair.
        worker: `PairWorker`, or one that says more of each query.
        **settings: of that worker.
    """
    return Work(
        worker,
        {
            "root": str(workspace.root.absolute()),
            "network": network,
            "fingerprint": read_network_file(workspace.model(network), expect=network).fingerprint,
            "videos_in_memory": videos_in_memory,
            **settings,
        },
    )


def answers(context: StageContext, work: Work, pairs: Sequence[tuple[str, str]], journal: Path) -> list[Json]:
    """What the worker says of each query, in the order in which queries first appear in ``pairs``.

    Args:
        context: has the fleet; few pairs do not go to it.
        work: as `scoring` makes it.
        pairs: ids of query and target.
        journal: file of the answers so far; a journal of other work is begun anew.

    Raises:
        ArtefactError: workers died on a query.
    """
    rows_of = rows_by_query(pairs)
    targets = {query: [pairs[row][1] for row in rows] for query, rows in rows_of.items()}
    found = _resumed(journal, fingerprint_json([work.worker, work.settings, _read_from(context), targets]))
    tasks = [Task(query, {"targets": ids}) for query, ids in targets.items() if query not in found]
    fleet = context.fleet if len(pairs) >= WORTH else LocalFleet(Place(context.device))
    with closing(run_all(fleet, work, tasks)) as cards:
        for card in context.progress.track(cards, f"{work.settings['network']}: scoring pairs", len(tasks)):
            if card.reason:
                raise ArtefactError(f"expected scores of {card.id}, found none: {card.detail}")
            append_line(journal, [card.id, card.facts])
            found[card.id] = card.facts
    return [found[query] for query in targets]


def scores_of(found: Sequence[Json], pairs: Sequence[tuple[str, str]]) -> Float32Array:
    """``[P]`` the scores of `answers`, in the order of the pairs."""
    scores: Float32Array = np.empty(len(pairs), dtype=np.float32)
    for rows, facts in zip(rows_by_query(pairs).values(), found, strict=True):
        scores[rows] = facts["scores"]
    return scores


def _resumed(journal: Path, question: str) -> dict[str, Json]:
    """The answers that are there; the journal holds these and no others."""
    lines = list(whole_lines(journal))
    kept = lines[1:] if lines and lines[0] == question else []
    write_lines(journal, [question, *kept])
    return dict(kept)


def _read_from(context: StageContext) -> list[tuple[int, int]]:
    """Size and time of the features: whoever writes them anew changes these."""
    files = [context.workspace.whitened(name).stat() for name in ("train", "views")]
    return [(file.st_size, file.st_mtime_ns) for file in files]
