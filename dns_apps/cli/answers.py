"""What an answer says of a query and its matches, for programs: as one JSON, and as rows of a table."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dns_core.decoding.decoders import Decoders
from dns_core.decoding.offline import tried
from dns_core.index import Index
from dns_core.records import QueryResult, Segment, VideoProbe
from dns_core.retrieval.relation import rate_of, relations

_FACTS = ("duration_s", "n_bytes", "width_px", "height_px", "codec")
COLUMNS = (
    "query", "rank", "video_id", "score", "stage", "relation", "rate", "query_start_s", "query_end_s",
    "target_start_s", "target_end_s", "n_segments", *_FACTS, *(f"query_{fact}" for fact in _FACTS),
)  # fmt: skip

Facts = Mapping[str, Any]


class Answers:
    """Puts the facts of files beside answers.

    Args:
        index: that was searched.
        decoder: reads the files of queries.
    """

    def __init__(self, index: Index, decoder: Decoders) -> None:
        self._decoder = decoder
        self._probes = dict(zip(index.ids, index.probes, strict=True))

    def json(self, result: QueryResult, path: Path) -> dict[str, Any]:
        """One answered query; facts of files that an index was made without are null.

        Args:
            result: the answer.
            path: the query's file.
        """
        file = self._file_facts(path)
        probes = [self._probes.get(match.video_id) for match in result.results]
        lengths_s = [probe.duration_s if probe else None for probe in probes]
        found = relations(result.results, file["duration_s"], lengths_s)
        matches = [
            {
                **asdict(match),
                "relation": relation,
                "rate": rate_of(match.segments),
                "file": _stored_facts(probe),
            }
            for match, relation, probe in zip(result.results, found, probes, strict=True)
        ]
        return {**asdict(result), "file": file, "results": matches}

    def _file_facts(self, path: Path) -> dict[str, Any]:
        facts = asdict(tried(lambda: self._decoder.facts(path)))
        return {**{fact: facts.get(fact) for fact in _FACTS}, "n_bytes": path.stat().st_size}


def _stored_facts(probe: VideoProbe | None) -> dict[str, Any] | None:
    return {fact: getattr(probe, fact) for fact in _FACTS} if probe else None


def table_rows(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row a match of an answer as `Answers.json` gives it; the longest segment stands for all."""
    query = {f"query_{fact}": answer["file"][fact] for fact in _FACTS}
    for rank, match in enumerate(answer["results"], start=1):
        segments: list[dict[str, float]] = match["segments"] or [{}]
        longest = max(segments, key=lambda s: s.get("query_end_s", 0.0) - s.get("query_start_s", 0.0))
        where = {name: longest.get(name) for name in Segment.__dataclass_fields__ if name != "score"}
        facts = {fact: match["file"] and match["file"][fact] for fact in _FACTS}
        kept = {name: match[name] for name in ("video_id", "score", "stage", "relation", "rate")}
        yield {
            "query": answer["query"], "rank": rank, **kept, **where, "n_segments": len(match["segments"]),
            **facts, **query,
        }  # fmt: skip
