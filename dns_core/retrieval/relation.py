"""What two videos are to each other, by the stretches that match and how long they last."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from dns_core.records import Match, Segment

Relation = Literal["copy", "excerpt", "contains", "compilation", "overlap", "alike"]
"""Of a query to a match: a copy of about the same length, an excerpt of it, a longer video that contains it,
a compilation of it and of other matches; or both show a stretch of the same; or they are alike, and no
stretch could be located."""

# A copy may have lost its titles, and the ends of stretches are uncertain by a sampling period.
_WHOLE = 0.8
_UNCERTAIN_S = 1.0
# Stretches of a query that hardly share a second, as a share of what both would cover apart.
_APART = 0.9
# Of weaker matches no query is called a compilation.
_SURE = 0.9


def relation_of(segments: Sequence[Segment], query_s: float, target_s: float) -> Relation:
    """The relation of a query that lasts ``query_s`` to a video that lasts ``target_s``.

    Example:
        >>> relation_of([Segment(0, 10, 50, 60, 0.9)], 10.0, 300.0)
        'excerpt'
    """
    if not segments:
        return "alike"
    whole_query = _is_whole([(s.query_start_s, s.query_end_s) for s in segments], query_s)
    whole_target = _is_whole([(s.target_start_s, s.target_end_s) for s in segments], target_s)
    if whole_query:
        return "copy" if whole_target else "excerpt"
    return "contains" if whole_target else "overlap"


def relations(
    matches: Sequence[Match], query_s: float, lengths_s: Sequence[float | None]
) -> list[Relation | None]:
    """The relation of a query to each of its ranked matches; None where a length is not known.

    Args:
        matches: of one query.
        query_s: how long the query lasts.
        lengths_s: how long each match lasts.
    """
    each = [
        None if target_s is None else relation_of(match.segments, query_s, target_s)
        for match, target_s in zip(matches, lengths_s, strict=True)
    ]
    return with_compilations(each, [match.segments if match.score >= _SURE else () for match in matches])


def with_compilations(
    relations: Sequence[Relation | None], matched: Sequence[Sequence[Segment]]
) -> list[Relation | None]:
    """The relations of a query to its matches; one that shows several in turn is a compilation of them.

    Args:
        relations: to each match, by `relation_of`; None if it is not known.
        matched: the stretches of each match; none of one that is too weak to count.
    """
    parts = {
        row: [(s.query_start_s, s.query_end_s) for s in matched[row]]
        for row, relation in enumerate(relations)
        if relation in ("contains", "overlap") and matched[row]
    }

    def is_apart(row: int) -> bool:
        return any(covered_s(parts[row] + other) >= _APART * (covered_s(parts[row]) + covered_s(other))
                   for at, other in parts.items() if at != row)  # fmt: skip

    return ["compilation" if row in parts and is_apart(row) else r for row, r in enumerate(relations)]


def covered_s(stretches: Iterable[tuple[float, float]]) -> float:
    """Seconds that stretches cover together; what lies in several counts once.

    Example:
        >>> covered_s([(0, 4), (2, 5), (7, 8)])
        6.0
    """
    total, reached = 0.0, float("-inf")
    for start, end in sorted(stretches):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def rate_of(segments: Sequence[Segment]) -> float | None:
    """Seconds of the target that go by in a second of the query, in the longest stretch; None without one.

    Example:
        >>> rate_of([Segment(0, 10, 50, 65, 0.9)])
        1.5
    """
    longest = max(segments, key=lambda s: s.query_end_s - s.query_start_s, default=None)
    if longest is None or longest.query_end_s <= longest.query_start_s:
        return None
    return (longest.target_end_s - longest.target_start_s) / (longest.query_end_s - longest.query_start_s)


def within(segment: Segment, query_s: float | None, target_s: float | None) -> Segment:
    """The segment without what lies behind the ends of the videos, by which sampling may miss them.

    Args:
        segment: of two videos.
        query_s: how long the query lasts; None if it is not known.
        target_s: likewise of the target.
    """
    return replace(
        segment,
        query_end_s=_cut(segment.query_start_s, segment.query_end_s, query_s),
        target_end_s=_cut(segment.target_start_s, segment.target_end_s, target_s),
    )


def _cut(start_s: float, end_s: float, length_s: float | None) -> float:
    return end_s if length_s is None else max(start_s, min(end_s, length_s))


def _is_whole(stretches: Iterable[tuple[float, float]], length_s: float) -> bool:
    return covered_s(stretches) >= min(_WHOLE * length_s, length_s - _UNCERTAIN_S)
