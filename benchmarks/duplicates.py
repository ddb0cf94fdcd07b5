"""Precision and recall of ``dns duplicates`` on an archive of `duplicate_archive`, and growth with its size.

```console
$ dns index build --videos my/archive --out my/index
$ dns duplicates my/index --min-score 0.3 --out my/pairs.json
$ python -m benchmarks.duplicates judge my/pairs.json my/archive.json
$ python -m benchmarks.duplicates growth 2000 6000 20000
```
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.duplicate_archive import Copy
from benchmarks.searches import FINE, sample_record, synthetic_index
from benchmarks.vectors import like_real_ones
from dns_core.ports import SilentProgress
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.duplicates import Asked, find_duplicates
from dns_core.retrieval.engine import Engine

_SCORES = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_SHARED_S = 2.0
_FRAMES = 20
_SEARCHED = 400

Names = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found at a score.

    Attributes:
        score: pairs from it on count.
        n_found: of those, pairs of one source.
        n_false: pairs of sources of different origin.
        n_near: pairs of two sources of one origin, which may show one scene.
        n_true: pairs of one source that share two seconds or more, found or not.
    """

    score: float
    n_found: int
    n_false: int
    n_near: int
    n_true: int

    @property
    def figures(self) -> tuple[float, float, float]:
        """Recall, precision, and precision if pairs of one origin were all false."""
        found = max(1, self.n_found + self.n_false)
        return self.n_found / self.n_true, self.n_found / found, self.n_found / (found + self.n_near)


def true_pairs(copies: Sequence[Copy]) -> set[Names]:
    """Pairs of one source that share seconds enough."""
    return {
        (min(a.name, b.name), max(a.name, b.name))
        for a, b in combinations(copies, 2)
        if a.source == b.source and min(a.end_s, b.end_s) - max(a.start_s, b.start_s) >= _SHARED_S
    }


def judged(report: dict[str, Any], copies: Sequence[Copy]) -> Iterator[Judged]:
    """Figures at some scores; pairs of one source that share less count neither way."""
    by_name = {copy.name: copy for copy in copies}
    expected = true_pairs(copies)
    for score in _SCORES:
        kinds = Counter[str]()
        for pair in (pair for pair in report["pairs"] if pair["score"] >= score):
            kinds[_kind(by_name[pair["first"]], by_name[pair["second"]], expected)] += 1
        yield Judged(score, kinds["true"], kinds["false"], kinds["near"], len(expected))


def false_sources(report: dict[str, Any], copies: Sequence[Copy], score: float) -> Counter[tuple[int, int]]:
    """Pairs of sources of different origin whose clips were taken for copies, and how often."""
    by_name = {copy.name: copy for copy in copies}
    found: Counter[tuple[int, int]] = Counter()
    for pair in report["pairs"]:
        a, b = by_name[pair["first"]], by_name[pair["second"]]
        if pair["score"] >= score and a.source != b.source and a.origin != b.origin:
            found[min(a.source, b.source), max(a.source, b.source)] += 1
    return found


def _kind(a: Copy, b: Copy, expected: set[Names]) -> str:
    if a.source == b.source:
        return "true" if (min(a.name, b.name), max(a.name, b.name)) in expected else "little"
    return "near" if a.origin == b.origin else "false"


class _Sample(SilentProgress):
    """Lets every so many videos be searched only."""

    def __init__(self, step: int) -> None:
        self._step = step

    def track(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:  # noqa: ARG002
        """The videos of the sample."""
        return islice(items, 0, None, self._step)


def growth(sizes: Sequence[int]) -> Iterator[tuple[int, float, float]]:
    """Milliseconds, and pairs compared, for each video of archives of vectors drawn like real ones.

    Codes are random. They are means over about `_SEARCHED` videos of each archive.
    """
    bundle = Bundle.load(SHIPPED_MODELS)
    for n_videos in sizes:
        sample = _Sample(n_videos // _SEARCHED)
        with tempfile.TemporaryDirectory() as folder:
            vectors, _ = like_real_ones(
                np.random.default_rng(0), n_videos, sample_record(bundle).coarse.shape[1], 1
            )
            engine = Engine(synthetic_index(Path(folder), bundle, vectors, _FRAMES), bundle, fine=FINE)
            began = time.perf_counter()
            found = find_duplicates(engine, Asked(), Path(folder) / "journal.jsonl", sample)
            ms = 1000 * (time.perf_counter() - began)
        n_searched = len(range(0, n_videos, n_videos // _SEARCHED))
        yield n_videos, ms / n_searched, found.n_compared / n_searched


def main() -> None:
    """Print a table of figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    judging = commands.add_parser("judge")
    judging.add_argument("report", type=Path, help="what `dns duplicates --out *.json` wrote")
    judging.add_argument("truth", type=Path, help="what `benchmarks.duplicate_archive` wrote")
    judging.add_argument("--show", type=float, metavar="SCORE", help="name the sources confused at a score")
    growing = commands.add_parser("growth")
    growing.add_argument("sizes", type=int, nargs="+")
    args = parser.parse_args()
    if args.command == "growth":
        rows = [
            (f"{n}", f"{ms:.1f}", f"{c:.0f}", f"{ms * n / 1000:.0f}", f"{2 * c / (n - 1):.2%}")
            for n, ms, c in growth(args.sizes)
        ]
        _print(("videos", "ms a video", "pairs a video", "seconds in all", "pairs of all"), rows)
        return
    report = json.loads(args.report.read_text())
    copies = [Copy(**entry) for entry in json.loads(args.truth.read_text())]
    found = [(f"{j.score}", *(f"{figure:.3f}" for figure in j.figures)) for j in judged(report, copies)]
    _print(("score", "recall", "precision", "if one origin were false"), found)
    if args.show:
        confused = false_sources(report, copies, args.show).most_common()
        _print(("sources", "pairs"), [(f"{a}, {b}", f"{count}") for (a, b), count in confused])


def _print(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
