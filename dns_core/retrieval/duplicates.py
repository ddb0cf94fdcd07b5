"""All pairs of an archive that show the same, without comparing all with all.

Files of equal content are pairs without being looked at. Of each other video, those nearest by coarse vectors
are compared finely: a shortlist, and all else that is as near as matches usually are. What is found of a
video is written to a journal at once: an interrupted search resumes, and another report costs nothing.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from dns_core.index import EncodedVideo, Index
from dns_core.ports import Progress
from dns_core.records import Int64Array, Segment
from dns_core.retrieval.chunked_video import ChunkedVideo
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.pair_journal import Pair, PairJournal
from dns_core.retrieval.ranking import falling_order
from dns_core.retrieval.relation import relation_of, within
from dns_core.retrieval.selection import Candidates
from dns_core.store.fingerprints import fingerprint_json

DEFAULT_SHORTLIST = 30
# Candidates of one video that are as near as matches usually are, at most.
_MOST_CANDIDATES = 300
# A video of less than this share of another's length may be a part of it, in which it finds more than is
# found in it.
_LIKE_LENGTH = 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched for.

    Attributes:
        min_score: of the pairs, in [0, 1].
        shortlist: videos that are compared finely with each one, at least.
    """

    min_score: float = 0.9
    shortlist: int = DEFAULT_SHORTLIST


@dataclass(slots=True)
class Found:
    """Pairs, by falling score, and how many were compared for them."""

    pairs: list[Pair] = field(default_factory=list)
    n_compared: int = 0
    n_videos: int = 0


def find_duplicates(
    engine: Engine, asked: Asked, journal: Path, progress: Progress, *, of: Index | None = None
) -> Found:
    """The pairs of the engine's index, or of the videos ``of`` another one with those of the engine's.

    Memory holds the pairs that are found, and the frames of one video and of those that it is compared with.

    Args:
        engine: an index, opened with its models.
        asked: which pairs.
        journal: a file to go on from; made if it is not there, and emptied for another question.
        progress: shows how far it has come.
        of: an index made by the same models; None searches the engine's index in itself.

    Raises:
        MismatchError: other models made the index ``of``.
    """
    if of is not None:
        of.manifest.check_models(engine.bundle.index_models((engine.fine,)))
    search = _Search(engine, asked, of or engine.index, in_itself=of is None)
    written = PairJournal(journal, search.question)
    for row in progress.track(search.rows, "comparing", len(search.rows)):
        if row not in written.done:
            written.add(row, *search.pairs_of(row))
    found = Found(n_compared=written.n_compared, n_videos=search.source.n_videos)
    found.pairs = sorted(search.all_pairs(written.pairs), key=lambda p: (-p.score, p.first, p.second))
    return found


class _Search:
    """One search: contents instead of files, so that equal files are compared once."""

    def __init__(self, engine: Engine, asked: Asked, source: Index, *, in_itself: bool) -> None:
        self.source, self._engine, self._asked, self._in_itself = source, engine, asked, in_itself
        self._copies = _by_content(source)
        self._targets = _by_content(engine.index)
        self.rows = [rows[0] for rows in self._copies.values()]
        # Of each content one file is compared.
        self._representative = np.zeros(engine.index.n_videos, dtype=bool)
        self._representative[[rows[0] for rows in self._targets.values()]] = True
        self._levels: dict[int, float] = {}
        self._near = engine.bundle.calibration.scale(engine.fine).undecided

    @property
    def question(self) -> str:
        """Fingerprint of all that decides the answer."""
        manifests = [index.manifest for index in (self.source, self._engine.index)]
        made_by = [[m.data, dict(m.models), dict(m.params)] for m in manifests]
        return fingerprint_json([made_by, self._engine.fine, self._in_itself, asdict(self._asked)])

    def pairs_of(self, row: int) -> tuple[list[Pair], int]:
        """Pairs of a video of the source with others of the index, and how many were compared."""
        record = self.source.record(row)
        candidates = self._engine.candidates_of(record, shortlisted=True)
        chosen = self._chosen(candidates, record)
        if not len(chosen):
            return [], 0
        query = ChunkedVideo.stored(record, self._engine.fine)
        fine = np.full(len(candidates.rows), np.nan, dtype=np.float32)
        fine[chosen] = self._engine.fine_scores(query, candidates.rows[chosen])
        standing = self._engine.standing(candidates, query)
        if self._in_itself:
            self._levels[row] = standing.level
        scores = self._engine.calibrated(candidates, fine, standing)
        kept = {
            int(candidates.rows[k]): float(scores[k]) for k in chosen if scores[k] >= self._asked.min_score
        }
        segments = self._engine.segments(query, np.array(list(kept), dtype=np.int64))
        pairs = (self._pair(record, other, score, segments[other]) for other, score in kept.items())
        sure = (self._seen_from_both(pair, query, other) for pair, other in zip(pairs, kept, strict=True))
        return [pair for pair in sure if pair.score >= self._asked.min_score], len(chosen)

    def _seen_from_both(self, pair: Pair, query: ChunkedVideo, row: int) -> Pair:
        """The pair with the lower score of both directions, if the videos are of about one length.

        Many videos find something in a plain one, which finds little in them.
        """
        target = ChunkedVideo.stored(self._engine.index.record(row), self._engine.fine)
        shorter, longer = sorted((len(query.times_s), len(target.times_s)))
        if shorter < _LIKE_LENGTH * longer:
            return pair
        if row not in self._levels:
            self._levels[row] = self._engine.level(target)
        return replace(pair, score=min(pair.score, self._engine.pair_score(target, query, self._levels[row])))

    def all_pairs(self, found: Iterator[Pair]) -> Iterator[Pair]:
        """Those found, once each, and those of files of equal content."""
        best: dict[tuple[str, str], Pair] = {}
        for pair in found:
            key = (pair.first, pair.second)
            if key not in best or pair.score > best[key].score:
                best[key] = pair
        yield from best.values()
        for content, rows in self._copies.items():
            others = rows[1:] if self._in_itself else self._targets.get(content, [])
            for row in rows[:1] if self._in_itself else rows:
                for other in others:
                    yield self._equal(self.source.record(row), self._engine.index.record(other))

    def _equal(self, record: EncodedVideo, other: EncodedVideo) -> Pair:
        """The pair of two videos of which all frames are the same."""
        if record.probe and other.probe and record.probe.sha256 == other.probe.sha256:
            return Pair(record.video_id, other.video_id, 1.0, "identical")
        length_s = min(length_of(record), length_of(other))
        return Pair(
            record.video_id, other.video_id, 1.0, "copy", (Segment(0.0, length_s, 0.0, length_s, 1.0),)
        )

    def _chosen(self, candidates: Candidates, record: EncodedVideo) -> Int64Array:
        """Positions of the candidates that are compared finely."""
        equal = self._targets.get(record.content, [])
        allowed = self._representative[candidates.rows] & ~np.isin(candidates.rows, equal)
        order = falling_order(np.where(allowed, candidates.scores, -np.inf), candidates.ids)
        n_near = int((candidates.scores[allowed] >= self._near).sum())
        count = min(int(allowed.sum()), max(self._asked.shortlist, min(n_near, _MOST_CANDIDATES)))
        return order[:count]

    def _pair(self, record: EncodedVideo, row: int, score: float, segments: tuple[Segment, ...]) -> Pair:
        other = self._engine.index.record(row)
        lengths = length_of(record), length_of(other)
        segments = tuple(within(segment, *lengths) for segment in segments)
        if self._in_itself and other.video_id < record.video_id:
            segments, lengths = tuple(_turned(segment) for segment in segments), lengths[::-1]
            record, other = other, record
        kind = relation_of(segments, *lengths)
        return Pair(record.video_id, other.video_id, score, kind, segments)


def length_of(record: EncodedVideo) -> float:
    """Seconds that an indexed video lasts; up to its last frame where its file was not at hand."""
    return record.probe.duration_s if record.probe else float(record.times_s.max())


def _by_content(index: Index) -> dict[str, list[int]]:
    """Rows of the videos of each content, in the order of their ids."""
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row in sorted(range(index.n_videos), key=index.ids.__getitem__):
        rows[index.contents[row]].append(row)
    return dict(rows)


def _turned(segment: Segment) -> Segment:
    """The segment as the other video sees it."""
    return Segment(
        segment.target_start_s,
        segment.target_end_s,
        segment.query_start_s,
        segment.query_end_s,
        segment.score,
    )
