"""The groups of an archive's duplicates as one page: no script, nothing from elsewhere; it opens offline."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path

from dns_apps.text import clock, printable, size
from dns_core.decoding.decoders import Decoders
from dns_core.decoding.offline import open_decoder
from dns_core.errors import VideoError
from dns_core.records import VideoProbe
from dns_core.retrieval.duplicates import Found
from dns_core.retrieval.groups import Group
from dns_core.retrieval.pair_journal import Pair
from dns_core.video.discover import discover_videos

SHOWN_GROUPS = 500
"""Groups that a page shows; tables have them all."""
_SHOWN_MEMBERS = 24
_PICTURE_PX = 192
_TITLES = {
    "copies": "Copies of one video",
    "excerpts": "Excerpts of a longer video",
    "shared": "A stretch that several videos share",
}
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Duplicates</title><style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem;
  color: #1c2127 }
section { border-top: 1px solid #d3d8de; padding: .5rem 0 1rem }
ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 1rem }
li { width: 12rem; overflow-wrap: anywhere; font-size: 13px }
li.best { outline: 2px solid #238551; outline-offset: 4px }
img, .none { width: 12rem; height: 6.75rem; object-fit: contain; background: #1c2127; display: block;
  color: #d3d8de }
.none { display: flex; align-items: center; justify-content: center } small { color: #5f6b7c }
@media (prefers-color-scheme: dark) { body { background: #1c2127; color: #e5e8eb } small { color: #abb3bf } }
</style></head><body>
"""


def write_page(
    path: Path,
    found: Found,
    groups: Sequence[Group],
    probes: Mapping[str, VideoProbe],
    videos: Path | None,
) -> None:
    """Write the page, a group at a time.

    Args:
        path: the file.
        found: the pairs.
        groups: of them.
        probes: what is known of the files, by id.
        videos: where the files are; without it there are no pictures.
    """
    files = dict(discover_videos(videos)) if videos else {}
    with path.open("w", encoding="utf-8") as page:
        for part in _parts(found, groups, probes, files):
            page.write(part)


def _parts(
    found: Found, groups: Sequence[Group], probes: Mapping[str, VideoProbe], files: Mapping[str, Path]
) -> Iterator[str]:
    yield _HEAD
    freed = size(sum(group.freed_bytes for group in groups))
    yield (
        f"<h1>{len(groups)} groups</h1><p>{found.n_videos} videos, {len(found.pairs)} pairs that show "
        f"the same. {freed} are taken by copies other than the best. Nothing was deleted.</p>"
    )
    for number, group in enumerate(groups[:SHOWN_GROUPS], start=1):
        yield f"<section><h2>{number}. {_TITLES[group.kind]}</h2><p>{_text(group.best)}: {_text(group.why)}"
        yield f"; {size(group.freed_bytes)} could be freed</p><ul>" if group.freed_bytes else "</p><ul>"
        for member in (group.best, *group.others)[:_SHOWN_MEMBERS]:
            yield _member(member, group, probes.get(member), files.get(member))
        left_out = 1 + len(group.others) - _SHOWN_MEMBERS
        yield "</ul>" + (f"<p>and {left_out} more</p>" if left_out > 0 else "") + "</section>\n"
    if (more := len(groups) - SHOWN_GROUPS) > 0:
        yield f"<p>{more} more groups stand in the report as a table (CSV, JSON, Parquet).</p>"
    yield "</body></html>\n"


def _member(video_id: str, group: Group, probe: VideoProbe | None, file: Path | None) -> str:
    pair = next((p for p in group.pairs if video_id in (p.first, p.second)), None)
    facts = "nothing is known of the file"
    if probe:
        frame = f"{probe.width_px} x {probe.height_px}, {probe.codec}"
        facts = f"{clock(probe.duration_s)}, {frame}, {size(probe.n_bytes)}"
    said = (
        "" if pair is None or video_id == group.best else f"<br>{pair.kind}, {pair.score:.3f}{_where(pair)}"
    )
    best = ' class="best"' if video_id == group.best and group.kind == "copies" else ""
    picture = _picture(file, _moment_s(video_id, pair, probe))
    return f"<li{best}>{picture}{_text(video_id)}<br><small>{facts}{said}</small></li>"


def _where(pair: Pair) -> str:
    if not pair.segments:
        return ""
    s = pair.segments[0]
    first, second = (
        f"{clock(start)}-{clock(end)}"
        for start, end in ((s.query_start_s, s.query_end_s), (s.target_start_s, s.target_end_s))
    )
    more = f" and {len(pair.segments) - 1} more" if len(pair.segments) > 1 else ""
    return f"<br>{_text(pair.first)} {first} = {_text(pair.second)} {second}{more}"


def _moment_s(video_id: str, pair: Pair | None, probe: VideoProbe | None) -> float:
    """The middle of what matches, or of the video."""
    if pair and pair.segments:
        s = pair.segments[0]
        stretch = (
            (s.query_start_s, s.query_end_s) if video_id == pair.first else (s.target_start_s, s.target_end_s)
        )
        return sum(stretch) / 2
    return probe.duration_s / 2 if probe else 0.0


def _picture(file: Path | None, at_s: float) -> str:
    if file is None:
        return '<span class="none">no picture</span>'
    try:
        written = _decoder().picture(file, at_s, _PICTURE_PX)
    except VideoError as error:
        return f'<span class="none">{_text(error.reason)}</span>'
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(written).decode()}">'


@cache
def _decoder() -> Decoders:
    return open_decoder()


def _text(text: str) -> str:
    return escape(printable(text))
