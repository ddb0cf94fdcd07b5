"""A validation report in one line, and read again."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dns_core.errors import InputError
from dns_core.store.atomic import read_json

PASSED, NEVER_JUDGED = "passed", "never validated"
_NAMED = 20


class RejectedDataError(InputError):
    """Data validation failed; the message names the rows."""


def complaint(verdict: Mapping[str, Any], page: Path) -> str:
    """One line that names every expectation that is not met, and its failing rows."""
    parts = [
        f"{suite['suite']} of {suite['part']}: expected that {row['meaning']}, {_found(row)}"
        for suite, row in failures(verdict)
    ]
    found = f"data validation failed: {'; '.join(parts)}"
    return f"{verdict['name']}: {found} (see {page}; {page.stem}.json beside it names every row)"


def failures(verdict: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each suite with each of its expectations that is not met."""
    for suite in verdict["suites"]:
        for row in suite["expectations"]:
            if not row["success"]:
                yield suite, row


def read_verdicts(folder: Path) -> list[dict[str, Any]]:
    """The reports in a folder, by name; none if it is not there."""
    return [read_json(path) for path in sorted(folder.glob("*.json"))]


def verdict_on_data(folder: Path) -> str:
    """What the stages that validate found, in short: ``passed``, which of them failed, or that none ran."""
    verdicts = [row for row in read_verdicts(folder) if str(row["name"]).startswith("validate_")]
    failed = [str(row["name"]) for row in verdicts if not row["success"]]
    return f"{', '.join(failed)} failed" if failed else PASSED if verdicts else NEVER_JUDGED


def _found(row: Mapping[str, Any]) -> str:
    if not row["rows"]:
        return f"found {row['observed'] or 'otherwise'}"
    named = [" ".join(str(value) for value in found.values()) for found in row["rows"][:_NAMED]]
    more = row["failing"] - len(named)
    return f"found {row['failing']}: {', '.join(named)}" + (f" and {more} more" if more else "")
