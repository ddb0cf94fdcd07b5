"""A validation report as a page for people: no script, nothing from elsewhere, so that it opens offline."""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from dns_core.store.atomic import atomic_file

SHOWN_ROWS = 100
"""Rows that do not meet an expectation, as far as people are shown them; the report has them all."""

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c2127 }}
table {{ border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #d3d8de }}
.met {{ color: #165a36 }} .failed {{ color: #8e292c; font-weight: 600 }}
code {{ font-size: 13px }} summary {{ cursor: pointer }}
@media (prefers-color-scheme: dark) {{ body {{ background: #1c2127; color: #e5e8eb }}
  .met {{ color: #72ca9b }} .failed {{ color: #fa999c }} th, td {{ border-color: #404854 }} }}
</style></head><body>
"""  # noqa: E501 - a style sheet


def write_page(path: Path, verdict: Mapping[str, Any]) -> None:
    """Write a page that shows every expectation, whether it is met, and the rows that do not meet it."""
    with atomic_file(path) as temporary:
        temporary.write_text("".join(_parts(verdict)), encoding="utf-8")


def _parts(verdict: Mapping[str, Any]) -> Iterable[str]:
    report = f"{verdict['name']}.json"
    yield _HEAD.format(title=escape(verdict["name"]))
    yield f"<h1>{escape(verdict['name'])}: {_word(verdict['success'])}</h1>"
    for suite in verdict["suites"]:
        yield f"<h2>{escape(suite['suite'])} of {escape(suite['part'])}: {_word(suite['success'])}</h2>"
        yield f"<p>{suite['rows']} rows</p><table>"
        yield "<tr><th>expected</th><th></th><th>rows that are otherwise</th></tr>"
        for row in suite["expectations"]:
            yield (
                f"<tr><td>{escape(row['meaning'])}<br><code>{escape(row['expectation'])}"
                f"{escape(' ' + row['column'] if row['column'] else '')}</code></td>"
                f"<td>{_word(row['success'])}</td><td>{_failing(row, report)}</td></tr>"
            )
        yield "</table>"
    yield "</body></html>\n"


def _failing(row: Mapping[str, Any], report: str) -> str:
    if not row["rows"]:
        return escape(row["observed"])
    lines = "".join(
        "<li>" + escape(", ".join(f"{name} {value}" for name, value in found.items())) + "</li>"
        for found in row["rows"][:SHOWN_ROWS]
    )
    if more := len(row["rows"][SHOWN_ROWS:]):
        lines += f"<li>and {more} more: {escape(report)} has them all</li>"
    return f"<details><summary>{row['failing']}</summary><ul>{lines}</ul></details>"


def _word(success: bool) -> str:
    return f'<span class="{"met" if success else "failed"}">{"met" if success else "not met"}</span>'
