"""Pairs of videos that show the same, and the journal of a search for them that may be interrupted."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from dns_core.records import Segment
from dns_core.retrieval.relation import Relation
from dns_core.store.journal import append_line, whole_lines, write_lines

PairKind = Literal["identical", Relation]
"""``identical``: the files have equal content. Else the relation of the first video to the second."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two videos that show the same.

    Attributes:
        first: id; of two videos of one index the smaller one.
        second: id.
        score: in [0, 1]; of videos of about one length the lower one of both directions.
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
        lines = list(whole_lines(path))
        if not lines or lines[0] != {"question": question}:
            write_lines(path, [{"question": question}])
            return
        kept = lines[1:]
        write_lines(path, lines)
        self.done = {line["row"] for line in kept}
        self.n_compared = sum(line["n_compared"] for line in kept)

    def add(self, row: int, pairs: list[Pair], n_compared: int) -> None:
        """Write down what was found of a video."""
        found = [asdict(pair) for pair in pairs]
        append_line(self._path, {"row": row, "n_compared": n_compared, "pairs": found})
        self.done.add(row)
        self.n_compared += n_compared

    @property
    def pairs(self) -> Iterator[Pair]:
        """All that was found."""
        for line in whole_lines(self._path):
            for pair in line.get("pairs", ()):
                yield Pair(**{**pair, "segments": tuple(Segment(**s) for s in pair["segments"])})
