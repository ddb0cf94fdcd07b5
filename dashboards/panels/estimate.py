"""What an archive of one's own would cost, from what one run measured on its videos."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.formats import size
from dns_apps.cli.report import METHOD_NAMES

COARSE = "coarse"
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that is thought of: ``n_videos`` of ``minutes`` each."""

    n_videos: int
    minutes: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run measured of one way to search.

    Attributes:
        method: such as ``DnS binary``.
        budget: share re-ranked in [0, 1]; None for a method without one.
        n_videos: that were searched.
        mean_s: seconds that they last on average; 0 if unknown.
        bytes_per_video: that a search reads.
        seconds_per_query: median.
        coarse_bytes: a video, of the coarse stage alone; the same whatever a video's length.
        coarse_s: seconds a query of the coarse stage alone.
        extraction_speed: seconds of video a second; 0 if unknown.
    """

    method: str
    budget: float | None
    n_videos: int
    mean_s: float
    bytes_per_video: float
    seconds_per_query: float
    coarse_bytes: float
    coarse_s: float
    extraction_speed: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure of the archive.

    Attributes:
        name: of the figure.
        value: as text with its unit.
        measured: on what it rests, as the run measured it.
        assumed: how that was carried over to the archive.
    """

    name: str
    value: str
    measured: str
    assumed: str


def measured_rows(report: Mapping[str, Any], mean_s: float, extraction_speed: float) -> list[Measured]:
    """Every way to search that a report has a row for; empty without a row of the coarse stage.

    Args:
        report: of an evaluation.
        mean_s: seconds that the searched videos last on average; 0 if unknown.
        extraction_speed: seconds of video a second; 0 if unknown.
    """
    coarse = next((row for row in report["methods"] if row["method"] == COARSE), None)
    if coarse is None:
        return []
    return [
        Measured(
            METHOD_NAMES.get(row["method"], row["method"]), row["budget"], report["database"], mean_s,
            row["bytes_per_video"], row["seconds_per_query"], coarse["bytes_per_video"],
            coarse["seconds_per_query"],
            extraction_speed,
        )
        for row in report["methods"]
    ]  # fmt: skip


def estimates(archive: Archive, row: Measured, price_per_hour: float = 0.0) -> list[Estimate]:
    """Storage, memory, time a query and cost of indexing of ``archive``.

    What is kept a video and looked at a video grows with their number; what is kept a frame and compared
    frame by frame grows with their length too. Nothing here was measured on the archive itself.

    Args:
        archive: how many videos, how long.
        row: what was measured.
        price_per_hour: of the machine that indexes, in any currency; 0 leaves it out.
    """
    longer = archive.minutes * 60 / row.mean_s if row.mean_s else 1.0
    more = archive.n_videos / max(row.n_videos, 1)
    fine_bytes = max(0.0, row.bytes_per_video - row.coarse_bytes)
    coarse_total, fine_total = archive.n_videos * row.coarse_bytes, archive.n_videos * fine_bytes * longer
    fine_s = max(0.0, row.seconds_per_query - row.coarse_s)
    by_length = f"times {longer:.3g} for the length, " if row.mean_s else "as if of equal length, "
    latency = row.coarse_s * more + fine_s * more * longer
    return [
        Estimate(
            "Storage", size(coarse_total + fine_total),
            f"{size(row.coarse_bytes)} coarse and {size(fine_bytes)} fine a video of {row.mean_s:.0f} s",
            f"fine part {by_length}times {archive.n_videos:,} videos",
        ),
        Estimate(
            "Memory", size(coarse_total),
            f"{size(row.coarse_bytes)} coarse a video",
            f"the coarse part in memory; fine is read from disk, as fast as here only if all of "
            f"{size(fine_total)} stays cached",
        ),
        Estimate(
            "Time a query", _duration(latency),
            f"{1000 * row.coarse_s:.1f} ms coarse and {1000 * fine_s:.1f} ms fine over {row.n_videos} videos",
            f"in proportion: times {more:,.3g} videos, fine {by_length}same share re-ranked, same machine",
        ),
        *_indexing(archive, row, price_per_hour),
    ]  # fmt: skip


def _indexing(archive: Archive, row: Measured, price_per_hour: float) -> list[Estimate]:
    if not row.extraction_speed:
        return [Estimate("Time to index", "unknown", "this run did not extract features", "")]
    seconds = archive.n_videos * archive.minutes * 60 / row.extraction_speed
    measured = f"{row.extraction_speed:.1f} s of video a second"
    assumed = "in proportion; the run also extracted edited copies to learn from, so indexing alone is faster"
    found = [Estimate("Time to index", _duration(seconds), measured, assumed)]
    if price_per_hour:
        cost = seconds / _HOUR_S * price_per_hour
        found.append(
            Estimate(
                "Cost of indexing", f"{cost:,.2f}", measured, f"{price_per_hour:g} an hour of the machine"
            )
        )
    return found


def _duration(seconds: float) -> str:
    """Seconds in the unit in which they are read most easily."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    for unit, length in (("s", 1.0), ("min", 60.0), ("h", _HOUR_S)):
        if seconds < 100 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds / 24 / _HOUR_S:,.0f} days"
