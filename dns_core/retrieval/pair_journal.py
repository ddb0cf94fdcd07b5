"""Pairs of videos that show the same, and the journal of a search for them that may be interrupted."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from dns_core.records import Segment
from dns_core.retrieval.relation import Relation

PairKind = Literal["identical", Relation]
"""``identical``: the files have equal content. Else the relation of the first video to the second."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two videos that show the same.

    Attributes:
        first: id; of two videos of one index the smaller one.
        second: id.
        score: in [0, 1], the higher one of the two directions that were compared.
        kind: what they are to each other.
        segments: what matches; ``query`` is the first.
    """

    first: str
    second: str
    score: float
    kind: PairKind
    segments: tuple[Segment, ...] = ()


class PairJournal:
    """What was found of each video, a line each; a line that was cut off does not count.

    Args:
        path: the file.
        question: of another one's file nothing is read.
    """

    def __init__(self, path: Path, question: str) -> None:
        self._path = path
        self.done: set[int] = set()
        self.n_compared = 0
        lines = list(_whole_lines(path))
        if not lines or lines[0] != {"question": question}:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"question": question}) + "\n", encoding="utf-8")
            return
        kept = lines[1:]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        self.done = {line["row"] for line in kept}
        self.n_compared = sum(line["n_compared"] for line in kept)

    def add(self, row: int, pairs: list[Pair], n_compared: int) -> None:
        """Write down what was found of a video."""
        line = {"row": row, "n_compared": n_compared, "pairs": [asdict(pair) for pair in pairs]}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self.done.add(row)
        self.n_compared += n_compared

    @property
    def pairs(self) -> Iterator[Pair]:
        """All that was found."""
        for line in _whole_lines(self._path):
            for pair in line.get("pairs", ()):
                yield Pair(**{**pair, "segments": tuple(Segment(**s) for s in pair["segments"])})


def _whole_lines(path: Path) -> Iterator[Mapping[str, Any]]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            yield json.loads(line)
