"""The answer of a query as files for other programs."""

import csv
import io

from dns_apps.service.schemas import Query, Segment

_HEAD = (
    *("rank", "video", "score", "stage", "label"),
    *("query_start_s", "query_end_s", "target_start_s", "target_end_s", "frame_similarity"),
)
_OBEYED = ("=", "+", "-", "@", "\t", "\r")


def answer_json(query: Query) -> bytes:
    """The query, its options and its whole answer as JSON, as the service gave them."""
    return query.model_dump_json(indent=2).encode()


def answer_csv(query: Query) -> bytes:
    """One row a matched stretch, one for a match without any; empty but for its head without an answer.

    A name that a spreadsheet would take for a formula begins with an apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEAD)
    for match in query.answer.matches if query.answer else ():
        row = (match.rank, _harmless(match.video_id), f"{match.score:.6f}", match.stage, match.label or "")
        for stretch in match.segments or (None,):
            writer.writerow((*row, *(_figures(stretch) if stretch else ())))
    return text.getvalue().encode("utf-8", errors="backslashreplace")


def _figures(segment: Segment) -> list[str]:
    ends = (segment.query_start_s, segment.query_end_s, segment.target_start_s, segment.target_end_s)
    return [f"{figure:.3f}" for figure in (*ends, segment.score)]


def _harmless(name: str) -> str:
    return f"'{name}" if name.startswith(_OBEYED) else name
