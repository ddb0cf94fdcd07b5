"""What an archive of one's own would cost, from what a run measured of parts of queries and videos."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.formats import size
from dns_apps.text import METHOD_NAMES
from dns_core.errors import InputError
from dns_core.evaluation.cost import SearchCost, Setting
from dns_core.store.index_parts import COARSE, MOMENTS, NAMES, bytes_read

_HOUR_S = 3600.0
_FINES = ("fine_attention", "fine_binary")


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that is thought of: ``n_videos`` of ``minutes`` each."""

    n_videos: int
    minutes: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run measured of one way to search.

    Attributes:
        method: as the report names it.
        share: that is re-ranked, in [0, 1].
        precision: by task, mean average precision of this setting on the run's own videos.
        n_videos: that the run searched.
        mean_s: seconds that they last on average.
        cost: of a query with its fine network.
        n_bytes: a video, by part of the index.
        frames: of a video.
        chunks: of a video.
        query_frames: of a query.
        extraction_speed: seconds of video a second; 0 if unknown.
    """

    method: str
    share: float
    precision: Mapping[str, float]
    n_videos: int
    mean_s: float
    cost: SearchCost
    n_bytes: Mapping[str, float]
    frames: float
    chunks: float
    query_frames: float
    extraction_speed: float

    @property
    def fine(self) -> str:
        """The network that re-ranks; empty if none does."""
        return self.method.removeprefix("dns_") if self.method.removeprefix("dns_") in _FINES else ""

    @property
    def name(self) -> str:
        """For people: method, and the share that it re-ranks."""
        named = METHOD_NAMES.get(self.method, self.method)
        return f"{named}, {self.share:.0%} re-ranked" if self.method.startswith("dns_") else named

    def longer(self, archive: Archive) -> float:
        """How many times as long as the run's videos those of the archive are."""
        return archive.minutes * 60 / self.mean_s

    def seconds(self, archive: Archive) -> float:
        """Of a query in the archive."""
        longer = self.longer(archive)
        cells = self.query_frames * self.frames * longer
        chunks = max(1.0, self.chunks * longer)
        share = self.share if self.fine else 0.0
        return self.cost.seconds(Setting(archive.n_videos, chunks, cells, share))

    def parts(self, archive: Archive) -> dict[str, float]:
        """Bytes of the archive's index by part, of all that a search with this method reads."""
        longer = self.longer(archive)
        found = {part: archive.n_videos * self.n_bytes.get(part, 0.0) for part in (NAMES, COARSE)}
        found[COARSE] *= max(1.0, self.chunks * longer) / self.chunks
        if self.fine:
            for part in (MOMENTS, self.fine):
                found[part] = archive.n_videos * self.n_bytes.get(part, 0.0) * longer
        return found


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
    """The ways to search whose cost the run took apart; none that says too little, as of older runs.

    Args:
        report: of an evaluation.
        mean_s: seconds that the searched videos last on average; 0 if unknown.
        extraction_speed: seconds of video a second; 0 if unknown.

    Raises:
        InputError: the timings contradict one another; the message says how.
    """
    costs = report.get("costs")
    if not costs or not mean_s:
        return []
    searches = {fine: SearchCost(**found) for fine, found in costs["search"].items() if found}
    refused = {fine: why for fine, cost in searches.items() if (why := cost.contradiction())}
    if refused:
        fine, why = next(iter(refused.items()))
        busy = ", and other programs kept the machine busy" if searches[fine].busy else ""
        raise InputError(
            f"the timings of {METHOD_NAMES.get(fine, fine)} contradict one another: {why}{busy}; "
            "run the stage evaluate again on a quiet machine"
        )
    return [
        Measured(
            row["method"], 1.0 if row["method"] in _FINES else row["budget"] or 0.0, row["map"],
            report["database"], mean_s, searches[_cost_of(row["method"])], costs["bytes"], costs["frames"],
            costs["chunks"], costs["query_frames"], extraction_speed,
        )
        for row in report["methods"]
        if _cost_of(row["method"]) in searches
    ]  # fmt: skip


def _cost_of(method: str) -> str:
    """The network whose engine was timed; the coarse stage is the same in all."""
    return _FINES[0] if method == "coarse" else method.removeprefix("dns_")


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
        cost = seconds / _HOUR_S * price_per_hour
        found.append(
            Estimate(
                "Cost of indexing", f"{cost:,.2f}", measured, f"{price_per_hour:g} an hour of the machine"
            )
        )
    return found


def duration(seconds: float) -> str:
    """Seconds in the unit in which they are read most easily."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    for unit, length in (("s", 1.0), ("min", 60.0), ("h", _HOUR_S)):
        if seconds < 100 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds / 24 / _HOUR_S:,.0f} days"
