"""The videos of a workspace: how long, fast and large they are, which were refused and which are alike."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from dashboards.formats import printable
from dns_core.records import Quarantined
from dns_ops.data.versions import DataDiff, DataVersion

Measure = Literal["duration_s", "fps", "height_px"]
MEASURES: tuple[tuple[Measure, str], ...] = (
    ("duration_s", "seconds"),
    ("fps", "frames a second"),
    ("height_px", "lines of the picture"),
)
_CLEAR = "rgba(0,0,0,0)"
_BINS = 30


@dataclass(frozen=True, slots=True)
class Summary:
    """A version of the data without its files, of which there may be many."""

    name: str
    parent: str
    created: str
    n_videos: int
    duration_s: float
    n_bytes: int


def summary(version: DataVersion) -> Summary:
    """What a table says of a version."""
    n_bytes = sum(int(folder.get("size") or 0) for folder in version.folders.values())
    return Summary(
        version.name, version.parent, version.created, version.n_videos, version.duration_s, n_bytes
    )


def diff_rows(diff: DataDiff) -> list[dict[str, str]]:
    """A row a video that differs: what came first, then what went, then what changed."""
    parts = (("added", diff.added), ("removed", diff.removed), ("changed", diff.changed))
    return [
        {"what": what, "collection": name.partition("/")[0], "video": printable(name.partition("/")[2])}
        for what, names in parts
        for name in names
    ]


def quarantine_rows(
    probes: Mapping[str, Mapping[str, Any]], later: Mapping[str, Iterable[Quarantined]]
) -> list[dict[str, str]]:
    """A row a video that cannot be used, with the reason.

    Args:
        probes: by collection, what the stage that probes wrote.
        later: by collection, videos that probed well and then failed to decode.
    """
    rows = [
        {"collection": name, "video": row["video_id"], "reason": row["reason"], "detail": row["detail"]}
        for name, content in probes.items()
        for row in content.get("quarantine", ())
    ]
    rows += [
        {"collection": name, "video": row.video_id, "reason": row.reason, "detail": row.detail}
        for name, refused in later.items()
        for row in refused
    ]
    return [{name: printable(value) for name, value in row.items()} for row in rows]


def reason_counts(rows: Iterable[Mapping[str, str]]) -> list[tuple[str, int]]:
    """How many rows have each reason, the most frequent first."""
    return Counter(row["reason"] for row in rows).most_common()


def clusters(split: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Groups of two or more videos that share footage, as the stage that splits found them; largest first."""
    members: dict[int, list[str]] = defaultdict(list)
    for video, cluster in split.get("cluster_of", {}).items():
        members[cluster].append(video)
    found = [tuple(sorted(videos)) for videos in members.values() if len(videos) > 1]
    return sorted(found, key=lambda videos: (-len(videos), videos))


def cluster_rows(
    videos: Sequence[str], split: Mapping[str, Any], seconds: Mapping[str, float]
) -> list[dict[str, Any]]:
    """A row a video of a cluster: how long it is, and with how many of the others it shares frames itself."""
    return [
        {
            "video": printable(video),
            "seconds": seconds.get(video),
            "shares frames with": len(split["alike"].get(video, ())),
            "of": len(videos) - 1,
            "used to": "validate" if video in split["validation"] else "learn",
        }
        for video in videos
    ]


def distribution_figure(probes: Mapping[str, Mapping[str, Any]], measure: Measure) -> go.Figure:
    """How many videos of each collection lie where on a measure; a browser is sent counts, not videos."""
    values = {
        name: [float(row[measure]) for row in content.get("videos", ())] for name, content in probes.items()
    }
    everything = [value for rows in values.values() for value in rows]
    figure = go.Figure()
    if everything:
        low, high = min(everything), max(everything)
        width = (high - low) / _BINS or 1.0
        centres = [low + (step + 0.5) * width for step in range(_BINS)]
        for name, rows in values.items():
            counts = Counter(min(int((value - low) / width), _BINS - 1) for value in rows)
            figure.add_bar(x=centres, y=[counts[step] for step in range(_BINS)], name=name)
    title = next(text for key, text in MEASURES if key == measure)
    figure.update_layout(
        barmode="stack", bargap=0.05, height=300, margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": title}, yaxis={"title": "videos"}, legend={"orientation": "h", "y": 1.15},
        paper_bgcolor=_CLEAR, plot_bgcolor=_CLEAR,
    )  # fmt: skip
    return figure


def expectation_rows(suite: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row an expectation of a suite, failed ones first."""
    ordered = sorted(suite["expectations"], key=lambda row: bool(row["success"]))
    return [
        {
            "": "✅ met" if row["success"] else "❌ failed",
            "expected that": printable(str(row["meaning"])),
            "rows otherwise": row["failing"],
            "observed": printable(str(row["observed"])),
            "examples": "; ".join(
                printable(" ".join(str(value) for value in found.values())) for found in row["rows"][:5]
            ),
        }
        for row in ordered
    ]
