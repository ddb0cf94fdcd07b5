"""Pairs and groups as files: a table for programs, a page for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dns_apps.cli.fiftyone_labels import fiftyone_labels
from dns_apps.cli.tables import TABLES, check_form, write_table
from dns_core.errors import InputError
from dns_core.records import VideoProbe
from dns_core.retrieval.duplicates import Found
from dns_core.retrieval.groups import Group
from dns_core.retrieval.pair_journal import Pair
from dns_core.store.atomic import atomic_file

FORMS = (".html", ".json", ".fiftyone", *TABLES)


def check_report(path: Path, videos: Path | None) -> None:
    """Check that a report can be written, before it is worked for.

    Raises:
        InputError: the name gives no known format, or FiftyOne's, whose paths are those of ``videos``.
    """
    check_form(path, FORMS)
    if path.suffix.lower() == ".fiftyone" and videos is None:
        raise InputError(f"{path}: FiftyOne opens the files itself: expected --videos DIR, found none")


def write_report(
    path: Path,
    found: Found,
    groups: Sequence[Group],
    probes: Mapping[str, VideoProbe],
    videos: Path | None = None,
) -> None:
    """Write the report, whole or not at all, in the form that its name says.

    Args:
        path: the file.
        found: the pairs.
        groups: of them.
        probes: what is known of the files, by id.
        videos: where the files are, for pictures in a page and for the paths that FiftyOne opens.
    """
    if path.suffix.lower() in TABLES:
        write_table(path, list(_row(_EMPTY, {}, {})), pair_rows(found.pairs, groups, probes))
        return
    with atomic_file(path) as temporary:
        if path.suffix.lower() == ".html":
            from dns_apps.cli.duplicates_page import write_page

            write_page(temporary, found, groups, probes, videos)
        elif path.suffix.lower() == ".fiftyone":
            assert videos is not None  # noqa: S101 - as `check_report` demands
            _write_json(temporary, fiftyone_labels(found.pairs, groups, probes, videos))
        else:
            _write_json(temporary, report_json(found, groups, probes))


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def report_json(found: Found, groups: Sequence[Group], probes: Mapping[str, VideoProbe]) -> dict[str, Any]:
    """All that was found, as JSON can say it."""
    return {
        "n_videos": found.n_videos,
        "n_compared": found.n_compared,
        "pairs": pair_rows(found.pairs, groups, probes),
        "groups": [
            {**asdict(group), "pairs": len(group.pairs), "others": list(group.others)} for group in groups
        ],
    }


def pair_rows(
    pairs: Sequence[Pair], groups: Sequence[Group], probes: Mapping[str, VideoProbe]
) -> list[dict[str, Any]]:
    """A row a pair: what it is, where, which one to keep and what is known of the files."""
    number_of = {
        member: (number, group.best)
        for number, group in enumerate(groups, start=1)
        if group.kind == "copies"
        for member in (group.best, *group.others)
    }
    return [_row(pair, number_of, probes) for pair in pairs]


def _row(
    pair: Pair, number_of: Mapping[str, tuple[int, str]], probes: Mapping[str, VideoProbe]
) -> dict[str, Any]:
    number, best = number_of.get(pair.first, (None, None))
    if number_of.get(pair.second, (None, None))[0] != number:
        number, best = None, None
    row: dict[str, Any] = {"first": pair.first, "second": pair.second, "score": pair.score, "kind": pair.kind}
    row |= {"group": number, "best": best}
    longest = max(pair.segments, key=lambda s: s.query_end_s - s.query_start_s, default=None)
    for side, start in (("first", "query"), ("second", "target")):
        for end in ("start_s", "end_s"):
            row[f"{side}_{end}"] = getattr(longest, f"{start}_{end}") if longest else None
    row["n_segments"] = len(pair.segments)
    for side in ("first", "second"):
        probe = probes.get(getattr(pair, side))
        for fact in ("n_bytes", "duration_s", "width_px", "height_px", "codec"):
            row[f"{side}_{fact}"] = getattr(probe, fact) if probe else None
    return row


_EMPTY = Pair("", "", 0.0, "alike")
