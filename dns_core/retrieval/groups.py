"""Pairs gathered for a person to decide: copies of one video, excerpts of it, stretches that many share."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dns_core.records import Segment, VideoProbe
from dns_core.retrieval.linkage import connected, linked
from dns_core.retrieval.pair_journal import Pair

GroupKind = Literal["copies", "excerpts", "shared"]

# Of how many videos a stretch is when it is no coincidence of two: an intro, a logo, an advertisement.
_SHARED_BY = 3
# Segments of one video are the same if they share so much of the longer one.
_SAME_STRETCH = 0.5
# A video that misses more than this of the longest copy is not complete.
_COMPLETE = 0.98
# Bits that a codec needs less than MPEG-2 for a like picture, roughly.
_EFFICIENCY = {"av1": 4.0, "hevc": 3.2, "vp9": 3.0, "h264": 2.0, "vp8": 1.8, "mpeg4": 1.3}


@dataclass(frozen=True, slots=True)
class Group:
    """Videos that belong together.

    Attributes:
        kind: ``copies`` of one video; ``excerpts`` of the best; or a stretch that all have (``shared``).
        best: the copy to keep, the video that the excerpts are of, or the first of those that share.
        why: the choice of the best, for a person.
        others: by falling score.
        pairs: between members.
        freed_bytes: of the copies but the best, as far as their files are known; else 0.
    """

    kind: GroupKind
    best: str
    why: str
    others: tuple[str, ...]
    pairs: tuple[Pair, ...]
    freed_bytes: int = 0


def gathered(pairs: Sequence[Pair], probes: Mapping[str, VideoProbe]) -> list[Group]:
    """Groups of the pairs of one archive: copies, then excerpts, then what is shared.

    A video is in one group of copies at most. Videos that only share a stretch are no copies, nor are the
    excerpts of a video: two of them may show nothing in common.

    Args:
        pairs: as `find_duplicates` gives them.
        probes: what is known of the files, by id.
    """
    copies = [pair for pair in pairs if pair.kind in ("identical", "copy")]
    groups = [_copies(members, pairs_of, probes) for members, pairs_of in linked(copies)]
    stands_for = {member: group.best for group in groups for member in (group.best, *group.others)}
    groups.sort(key=lambda group: (-group.freed_bytes, -len(group.others), group.best))
    return [*groups, *_excerpts(pairs, stands_for), *_shared([p for p in pairs if p.kind == "overlap"])]


def best_copy(members: Iterable[str], probes: Mapping[str, VideoProbe]) -> tuple[str, str]:
    """The copy to keep and why: whole before part, then the larger picture, then more bits for it.

    Args:
        members: ids, at least one.
        probes: what is known of the files; a video of which nothing is known is not chosen before another.
    """
    known = [probes[member] for member in sorted(members) if member in probes]
    if not known:
        return min(members), "nothing is known of the files"
    longest_s = max(probe.duration_s for probe in known)
    best = max(known, key=lambda probe: _quality(probe, longest_s))
    whole = [probe for probe in known if probe.duration_s >= _COMPLETE * longest_s]
    reasons = []
    if len(whole) < len(known):
        reasons.append("whole")
    if any(_pixels(probe) < _pixels(best) for probe in whole):
        reasons.append("largest picture")
    if any(_pixels(p) == _pixels(best) and _bits(p) < _bits(best) for p in whole):
        reasons.append("most bits for the picture")
    size = f"{best.width_px} x {best.height_px}, {_rate(best) / 1e6:.2f} Mbit/s {best.codec}"
    return best.video_id, f"{', '.join(reasons) or 'as good as the others'}: {size}"


def _quality(probe: VideoProbe, longest_s: float) -> tuple[bool, int, float, int]:
    return probe.duration_s >= _COMPLETE * longest_s, _pixels(probe), _bits(probe), probe.n_bytes


def _pixels(probe: VideoProbe) -> int:
    return probe.width_px * probe.height_px


def _rate(probe: VideoProbe) -> float:
    return 8 * probe.n_bytes / max(probe.duration_s, 0.1)


def _bits(probe: VideoProbe) -> float:
    """Bits a second that MPEG-2 would need for a like picture."""
    return _rate(probe) * _EFFICIENCY.get(probe.codec, 1.0)


def _copies(members: set[str], pairs: list[Pair], probes: Mapping[str, VideoProbe]) -> Group:
    best, why = best_copy(members, probes)
    others = members - {best}
    freed = sum(probes[other].n_bytes for other in others if other in probes)
    return Group("copies", best, why, _by_score(others, pairs), tuple(pairs), freed)


def _excerpts(pairs: Iterable[Pair], stands_for: Mapping[str, str]) -> Iterator[Group]:
    """A group for each longer video, of which copies stand for one another."""
    found: defaultdict[str, dict[str, Pair]] = defaultdict(dict)
    for pair in pairs:
        if pair.kind in ("excerpt", "contains"):
            shorter, longer = (pair.first, pair.second)[:: 1 if pair.kind == "excerpt" else -1]
            found[stands_for.get(longer, longer)].setdefault(stands_for.get(shorter, shorter), pair)
    for longer, excerpts in sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        excerpts.pop(longer, None)
        others = sorted(excerpts, key=lambda video_id: (-excerpts[video_id].score, video_id))
        if others:
            why = f"shows {len(others)} of the others"
            yield Group("excerpts", longer, why, tuple(others), tuple(excerpts[v] for v in others))


def _shared(pairs: Sequence[Pair]) -> Iterator[Group]:
    """A group for each stretch that several videos have: an intro, a logo, an advertisement."""
    stretches = _Stretches()
    links = [
        (
            stretches.of(pair.first, s.query_start_s, s.query_end_s),
            stretches.of(pair.second, *_target(s)),
            pair,
        )
        for pair in pairs
        for s in pair.segments
    ]
    nodes = [Pair(one, other, pair.score, "overlap") for one, other, pair in links]
    for members, _ in connected(nodes):
        videos = sorted({stretches.places[member][0] for member in members})
        if len(videos) < _SHARED_BY:
            continue
        inside = {id(pair): pair for one, _, pair in links if one in members}
        start_s, end_s = next(
            stretches.places[m][1:] for m in sorted(members) if stretches.places[m][0] == videos[0]
        )
        why = f"{end_s - start_s:.0f} s that {len(videos)} videos share, from {start_s:.0f} s in this one"
        yield Group("shared", videos[0], why, tuple(videos[1:]), tuple(inside.values()))


class _Stretches:
    """Names the stretches of videos; those that lie in about the same place are one."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[str, float, float]] = {}
        self._by_video: defaultdict[str, list[str]] = defaultdict(list)

    def of(self, video_id: str, start_s: float, end_s: float) -> str:
        for name in self._by_video[video_id]:
            _, start, end = self.places[name]
            common_s = min(end, end_s) - max(start, start_s)
            if common_s >= _SAME_STRETCH * max(end - start, end_s - start_s):
                return name
        name = f"{video_id}\0{len(self._by_video[video_id])}"
        self.places[name] = (video_id, start_s, end_s)
        self._by_video[video_id].append(name)
        return name


def _target(segment: Segment) -> tuple[float, float]:
    return segment.target_start_s, segment.target_end_s


def _by_score(members: Iterable[str], pairs: Sequence[Pair]) -> tuple[str, ...]:
    best: defaultdict[str, float] = defaultdict(float)
    for pair in pairs:
        for member in (pair.first, pair.second):
            best[member] = max(best[member], pair.score)
    return tuple(sorted(members, key=lambda member: (-best[member], member)))
