"""What an archive of one's own would cost, from what a run measured of parts of queries and videos."""

from dataclasses import dataclass

from dashboards.formats import size
from dns_apps.text import HOUR_S, METHOD_NAMES, duration
from dns_core.evaluation.capacity import Archive, Measured
from dns_core.evaluation.cost import SearchCost, Setting
from dns_core.store.index_parts import COARSE, bytes_read


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


def way_name(row: Measured) -> str:
    """For people: method, and the share that it re-ranks."""
    named = METHOD_NAMES.get(row.method, row.method)
    return f"{named}, {row.share:.0%} re-ranked" if row.method.startswith("dns_") else named


def estimates(archive: Archive, row: Measured, price_per_hour: float = 0.0) -> list[Estimate]:
    """Storage, memory, time a query and cost of indexing of ``archive``.

    Args:
        archive: how many videos, how long.
        row: what was measured.
        price_per_hour: of the machine that indexes, in any currency; 0 leaves it out.
    """
    parts = row.parts(archive)
    kept = bytes_read(row.n_bytes, row.fine or None)
    measured = f"{size(kept)} a video of {row.mean_s:.0f} s in {row.n_videos:,} videos"
    parts_text = ", ".join(f"{name} {size(n_bytes)}" for name, n_bytes in parts.items())
    pairs = Setting(archive.n_videos, row.chunks, 0.0, row.share if row.fine else 0.0).n_pairs
    return [
        Estimate("Storage", size(sum(parts.values())), measured, parts_text),
        Estimate("A video takes", size(sum(parts.values()) / archive.n_videos), measured, parts_text),
        Estimate(
            "Memory", size(parts[COARSE]), f"{size(row.n_bytes[COARSE])} of vectors a video",
            "what stays in memory for a fast search; the rest is read from disk for the re-ranked videos",
        ),
        Estimate(
            "Time a query", duration(row.seconds(archive)), _cost_text(row.cost),
            f"{pairs:,} videos re-ranked, each {row.longer(archive):.3g} times as long as here; same machine",
        ),
        *_indexing(archive, row, price_per_hour),
    ]  # fmt: skip


def _cost_text(cost: SearchCost) -> str:
    return (
        f"{1000 * cost.fixed_s:.1f} ms a query, {1e6 * cost.video_s:.2f} µs a video looked at "
        f"({1e6 * (cost.video_s + cost.select_video_s):.2f} if any is re-ranked), "
        f"{1e3 * cost.pair_s:.2f} ms and {1e9 * cost.cell_s:.0f} ns a pair of frames for each re-ranked one; "
        f"repeats differ by {cost.spread:.0%}"
    )


def _indexing(archive: Archive, row: Measured, price_per_hour: float) -> list[Estimate]:
    if not row.extraction_speed:
        return [Estimate("Time to index", "unknown", "this run did not extract features", "not carried over")]
    seconds = archive.n_videos * archive.minutes * 60 / row.extraction_speed
    measured = f"{row.extraction_speed:.1f} s of video a second"
    assumed = "in proportion; the run also extracted edited copies to learn from, so indexing alone is faster"
    found = [Estimate("Time to index", duration(seconds), measured, assumed)]
    if price_per_hour:
        cost = seconds / HOUR_S * price_per_hour
        found.append(
            Estimate(
                "Cost of indexing", f"{cost:,.2f}", measured, f"{price_per_hour:g} an hour of the machine"
            )
        )
    return found
