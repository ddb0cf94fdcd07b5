"""A match as a card shows it: its best moment, and where in both videos it lies."""

from collections.abc import Iterable, Sequence

from dashboards.formats import clock
from dns_apps.service.schemas import MatchRow, Segment
from dns_apps.text import segment_texts

# The same on white and on black; the bar itself takes the colour of the text.
_MATCHED = "#3d7dca"
_LEAST_PERCENT = 1.5


def best_segment(segments: Sequence[Segment]) -> Segment | None:
    """The longest matched stretch of the target; the earlier of two that are equal; None without any."""
    if not segments:
        return None
    return max(segments, key=lambda s: (round(s.target_end_s - s.target_start_s, 3), -s.target_start_s))


def matched_moment(match: MatchRow) -> tuple[float, float]:
    """Seconds in the query and in the target at which the best stretch begins; the beginnings without one."""
    best = best_segment(match.segments)
    return (best.query_start_s, best.target_start_s) if best else (0.0, 0.0)


def thumbnail_moment(match: MatchRow) -> float:
    """A second of the target that shows the match: the middle of the best stretch, for edges are dark."""
    best = best_segment(match.segments)
    return (best.target_start_s + best.target_end_s) / 2 if best else 0.0


_WORDS = ((0.9, "almost certain"), (0.6, "likely"), (0.3, "possible"), (0.1, "doubtful"), (0.0, "unlikely"))


def score_words(score: float) -> str:
    """What a calibrated score says, in words.

    Example:
        >>> score_words(0.97), score_words(0.42)
        ('almost certain', 'possible')
    """
    return next(words for least, words in _WORDS if score >= least or least == 0)


def timeline_html(match: MatchRow, query_span: tuple[float, float], target_duration_s: float) -> str:
    """Two bars as HTML, the query above the video, with the matched stretches in colour.

    Nothing of it comes from outside but figures.

    Args:
        match: whose stretches.
        query_span: start and end of the searched part, on the query's own clock.
        target_duration_s: of the video; 0 if unknown, and then the last stretch ends the bar.
    """
    rows = match.segments
    query = [(s.query_start_s, s.query_end_s) for s in rows]
    target = [(s.target_start_s, s.target_end_s) for s in rows]
    end = target_duration_s or max((stop for _, stop in target), default=0.0)
    summary = "matched: " + ("; ".join(segment_texts(match.segments)) or "no stretch")
    return (
        f'<div role="img" aria-label="{summary}" title="{summary}" style="font-size:.72rem;line-height:1.1">'
        f"{_bar('query', query_span, query)}{_bar('video', (0.0, end), target)}</div>"
    )


def _bar(name: str, span: tuple[float, float], stretches: Iterable[tuple[float, float]]) -> str:
    start, stop = span
    length = max(stop - start, 1e-9)
    marks = "".join(_mark((a - start) / length, (b - start) / length) for a, b in stretches)
    return (
        '<div style="display:flex;align-items:center;gap:.4rem;margin:.15rem 0">'
        f'<span style="width:2.4rem;opacity:.7">{name}</span>'
        '<span style="position:relative;flex:1;height:.5rem;border-radius:.25rem;overflow:hidden;'
        f'background:color-mix(in srgb, currentColor 14%, transparent)">{marks}</span>'
        f'<span style="width:3.1rem;text-align:right;opacity:.7" title="length">{clock(length)}</span></div>'
    )


def _mark(start: float, stop: float) -> str:
    left = min(max(start, 0.0), 1.0) * 100
    width = max((min(max(stop, 0.0), 1.0)) * 100 - left, _LEAST_PERCENT)
    return (
        f'<span style="position:absolute;top:0;bottom:0;left:{min(left, 100 - _LEAST_PERCENT):.2f}%;'
        f'width:{width:.2f}%;background:{_MATCHED}"></span>'
    )
