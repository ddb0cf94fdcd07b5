"""One pass over a benchmark's features: every video is read once, compared with all queries, and let go.

Only the queries stay, mapped from the disk. What is computed goes to a `ScoreStore`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dns_core.errors import InputError
from dns_core.measurement.paper_tables.encoding import Encoded, encode, fine_bytes
from dns_core.measurement.paper_tables.networks import Networks
from dns_core.measurement.paper_tables.pair_scoring import matrix_score, pair_matrix
from dns_core.measurement.paper_tables.score_store import COMPARED, PENDING, ScoreStore
from dns_core.measurement.paper_tables.videos import usable_regions
from dns_core.ports import Progress
from dns_core.records import Float32Array, Quarantined
from dns_core.store.feature_store import FeatureStore

_SAVE_EVERY = 64
_SAVE_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Question:
    """A query that can be used.

    Attributes:
        place: its row among all queries.
        encoded: what each rule keeps of it.
        alike: fine roles for which all rules keep the same.
    """

    place: int
    encoded: tuple[Encoded, ...]
    alike: frozenset[str]


class Trial:
    """Compares every video of a database with every query, under each rule.

    Args:
        store: features of queries and database.
        rules: networks, one set for each rule.
        queries: sorted ids.
        database: sorted ids.
        folder: for the ledger and the encoded queries.
    """

    def __init__(
        self,
        store: FeatureStore,
        rules: Sequence[Networks],
        queries: Sequence[str],
        database: Sequence[str],
        folder: Path,
    ) -> None:
        self._store, self._rules = store, rules
        self.queries, self.database = tuple(queries), tuple(database)
        self.unanswered: dict[str, Quarantined] = {}
        self.questions: list[Question] = []
        stat = store.path.stat()
        settings = {
            "features": [store.path.name, stat.st_size, stat.st_mtime_ns],
            "networks": {networks.compatibility: dict(networks.fingerprints) for networks in rules},
            "queries": list(queries),
            "database": list(database),
        }
        self.ledger = ScoreStore(folder / "ledger", settings, len(self.database), self._widths())
        self._shelf = folder / "queries"
        self._shelf.mkdir(exist_ok=True)

    def _widths(self) -> dict[str, int]:
        widths: dict[str, int] = {}
        for networks in self._rules:
            rule = networks.compatibility
            widths |= {f"{rule}_{role}": len(self.queries) for role in networks.fines}
            widths |= {f"{rule}_{role}_numbers": 1 for role in networks.selectors}
            if networks.coarse is not None:
                widths[f"{rule}_coarse"] = len(self.queries)
        return widths

    def run(self, progress: Progress) -> None:
        """Fill the ledger; rows that an earlier run filled are left.

        Raises:
            InputError: no query has usable features.
        """
        self._ask_all(progress)
        if not self.questions:
            first = next(iter(self.unanswered.values()), None)
            raise InputError(f"no query can be used: {first.detail if first else 'there is none'}")
        self._compare_all(progress)

    def _ask_all(self, progress: Progress) -> None:
        for place, query in enumerate(progress.track(self.queries, "queries")):
            regions = usable_regions(self._store, query, self._rules[0].dims)
            if isinstance(regions, Quarantined):
                self.unanswered[query] = regions
            else:
                self.questions.append(self._question(place, regions))

    def _compare_all(self, progress: Progress) -> None:
        compared: list[int] = []
        unusable: dict[int, Quarantined] = {}
        saved_s = perf_counter()
        rows = [int(row) for row in np.flatnonzero(self.ledger.states == PENDING)]
        try:
            for row in progress.track(rows, "videos"):
                regions = usable_regions(self._store, self.database[row], self._rules[0].dims)
                if isinstance(regions, Quarantined):
                    unusable[row] = regions
                else:
                    self._compare(row, regions)
                    compared.append(row)
                if len(compared) + len(unusable) >= _SAVE_EVERY or perf_counter() - saved_s > _SAVE_EVERY_S:
                    self.ledger.save(compared, unusable)
                    compared, unusable, saved_s = [], {}, perf_counter()
        finally:
            # Whole rows alone are listed here, so that an interruption loses nothing but the current one.
            self.ledger.save(compared, unusable)

    def _question(self, place: int, regions: Float32Array) -> Question:
        """The encoded query, its large parts mapped from the disk."""
        encoded = []
        for networks in self._rules:
            each = encode(networks, regions)
            for role, index in each.fines.items():
                path = self._shelf / f"{place}-{networks.compatibility}-{role}.npy"
                np.save(path, index.cpu().numpy())
                each.fines[role] = torch.from_numpy(np.load(path, mmap_mode="c"))
            encoded.append(each)
        alike = (role for role in self._rules[0].fines if _alike([e.fines[role] for e in encoded]))
        return Question(place, tuple(encoded), frozenset(alike))

    def _compare(self, row: int, regions: Float32Array) -> None:
        start_s = perf_counter()
        targets = tuple(encode(networks, regions) for networks in self._rules)
        totals = {"encode_s": perf_counter() - start_s}
        places = [question.place for question in self.questions]
        for number, (networks, target) in enumerate(zip(self._rules, targets, strict=True)):
            rule = networks.compatibility
            for role, value in target.numbers.items():
                self.ledger.array(f"{rule}_{role}_numbers")[row] = value
            for role, index in target.fines.items():
                totals[f"{rule}_{role}_bytes"] = fine_bytes(role, index)
            if networks.coarse is not None:
                start_s = perf_counter()
                vectors = torch.stack([q.encoded[number].coarse for q in self.questions])
                self.ledger.array(f"{rule}_coarse")[row, places] = (vectors @ target.coarse).cpu().numpy()
                totals[f"{rule}_coarse_s"] = perf_counter() - start_s
                totals[f"{rule}_coarse_bytes"] = target.coarse.numel() * 4
        for role in self._rules[0].fines:
            totals |= self._compare_finely(row, role, targets)
        self.ledger.add(totals)

    def _compare_finely(self, row: int, role: str, targets: Sequence[Encoded]) -> dict[str, float]:
        """Fill one row of a fine network's scores under every rule; the seconds that each rule took."""
        indexes = [target.fines[role] for target in targets]
        alike = _alike(indexes)
        scores = np.zeros((len(indexes), len(self.queries)), dtype=np.float32)
        seconds = np.zeros(len(indexes))
        for question in self.questions:
            # Rules that keep the same of both videos share their frames' similarities, and pay for them each.
            shared = alike and role in question.alike
            matrix, matrix_s = torch.empty(0), 0.0
            for number, rules in enumerate(self._rules):
                network, query = rules.fines[role], question.encoded[number].fines[role]
                start_s = perf_counter()
                if number == 0 or not shared:
                    matrix = pair_matrix(network, query, indexes[number])
                    matrix_s = perf_counter() - start_s
                    start_s = perf_counter()
                scores[number, question.place] = matrix_score(network, matrix)
                seconds[number] += matrix_s + perf_counter() - start_s
        for number, rules in enumerate(self._rules):
            self.ledger.array(f"{rules.compatibility}_{role}")[row] = scores[number]
        return {f"{r.compatibility}_{role}_s": float(seconds[n]) for n, r in enumerate(self._rules)}

    @property
    def compared(self) -> npt.NDArray[np.bool_]:
        """``[V]`` True where a video was compared."""
        return np.asarray(self.ledger.states == COMPARED)

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """``[Q]`` True where a query could be used."""
        return np.array([query not in self.unanswered for query in self.queries])


def _alike(indexes: Sequence[Tensor]) -> bool:
    first = indexes[0]
    return all(first.shape == other.shape and torch.equal(first, other) for other in indexes[1:])
