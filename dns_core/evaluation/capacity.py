"""What an archive of another size takes: from figures that were measured, carried over in proportion."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Self

from dns_core.errors import CorruptArtefactError, InputError, ParamsError
from dns_core.evaluation.cost import SearchCost, Setting
from dns_core.evaluation.report import EvaluationReport
from dns_core.store.atomic import read_json
from dns_core.store.index_parts import COARSE, MOMENTS, NAMES

FINES = ("fine_attention", "fine_binary")
_MOST_GROUPS = 1 << 16


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that is thought of: ``n_videos`` of ``minutes`` each."""

    n_videos: int
    minutes: float

    def __post_init__(self) -> None:
        if self.n_videos < 1 or not 0 < self.minutes < math.inf:
            raise ParamsError(
                f"an archive has videos, of more than 0 minutes; got {self.n_videos} of {self.minutes}"
            )

    @property
    def seconds(self) -> float:
        """That all its videos last."""
        return self.n_videos * self.minutes * 60


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one way to search.

    Attributes:
        method: as the report names it.
        share: that is re-ranked, in [0, 1].
        precision: by task, mean average precision of this setting on the measured videos.
        n_videos: that were searched.
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
    extraction_speed: float = 0.0

    @property
    def fine(self) -> str:
        """The network that re-ranks; empty if none does."""
        return self.method.removeprefix("dns_") if self.method.removeprefix("dns_") in FINES else ""

    def longer(self, archive: Archive) -> float:
        """How many times as long as the measured videos those of the archive are."""
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


def measured_rows(report: EvaluationReport, mean_s: float, extraction_speed: float) -> list[Measured]:
    """The ways to search whose cost a run took apart; none that says too little, as of older runs.

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
            f"the timings of {fine} contradict one another: {why}{busy}; "
            "run the stage evaluate again on a quiet machine"
        )
    return [
        Measured(
            row["method"], 1.0 if row["method"] in FINES else row["budget"] or 0.0, row["map"],
            report["database"], mean_s, searches[_cost_of(row["method"])], costs["bytes"], costs["frames"],
            costs["chunks"], costs["query_frames"], extraction_speed,
        )
        for row in report["methods"]
        if _cost_of(row["method"]) in searches
    ]  # fmt: skip


def _cost_of(method: str) -> str:
    """The network whose engine was timed; the coarse stage is the same in all."""
    return FINES[0] if method == "coarse" else method.removeprefix("dns_")


@dataclass(frozen=True, slots=True)
class Figures:
    """What `benchmarks.capacity` measured of one machine.

    Attributes:
        source: the machine, the day, and the command.
        search: DnS with the binary network.
        core_s_per_s: processor seconds that describe a second of video.
        resident_bytes: of memory for each video of an open index, beside its vectors.
        indexed_to: videos of the largest index that was searched for these figures.
        scatter_s: that a search in shards on several machines takes longer for asking them.
    """

    source: str
    search: Measured
    core_s_per_s: float
    resident_bytes: float
    indexed_to: int
    scatter_s: float

    @classmethod
    def kept(cls, path: Path | None = None) -> Self:
        """Those of a file; of the one that comes with this package if None.

        Raises:
            MissingArtefactError: there is no such file.
            CorruptArtefactError: it is none of `benchmarks.capacity`.
        """
        own = files(__package__).joinpath("capacity.json")
        content = json.loads(own.read_text(encoding="utf-8")) if path is None else read_json(path)
        try:
            search = dict(content["search"])
            cost = SearchCost(**search.pop("cost"))
            return cls(**{**content, "search": Measured(**search, cost=cost)})
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptArtefactError(f"{path} has no figures of benchmarks.capacity: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Wishes:
    """How an archive is to be searched.

    Attributes:
        n_pairs: videos that a query compares finely.
        memory_bytes: of a machine.
        disk_bytes: likewise.
        query_s: that a search may take.
        replicas: holders of each shard.
    """

    n_pairs: int = 500
    memory_bytes: float = 64e9
    disk_bytes: float = 4e12
    query_s: float = 1.0
    replicas: int = 2

    def __post_init__(self) -> None:
        least = min(self.n_pairs, self.memory_bytes, self.disk_bytes, self.query_s, self.replicas)
        if least <= 0:
            raise ParamsError(f"pairs, memory, disk, seconds and replicas must be over 0, got {least}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What an archive takes.

    Attributes:
        archive: the archive.
        storage_bytes: of the index, once.
        memory_bytes: that holds vectors, codes and ids, once.
        core_hours: of describing all videos.
        groups: of shards, each on a machine of its own; 0 if no number of them is fast enough.
        holders: machines that search, with replicas.
        query_s: of a search in so many groups, without describing the query.
        beyond: how many times as many videos as were searched for the figures; 1 or less is measured.
    """

    archive: Archive
    storage_bytes: float
    memory_bytes: float
    core_hours: float
    groups: int
    holders: int
    query_s: float
    beyond: float

    @property
    def measured(self) -> bool:
        """Whether an index of so many videos was searched for the figures."""
        return self.beyond <= 1


def plan(archive: Archive, figures: Figures, wishes: Wishes) -> Plan:
    """What an archive takes to be described, kept and searched.

    Args:
        archive: how many videos, how long.
        figures: that were measured.
        wishes: what a search may take.
    """
    parts = figures.search.parts(archive)
    storage, memory = sum(parts.values()), parts[COARSE] + archive.n_videos * figures.resident_bytes
    least = max(1, math.ceil(memory / wishes.memory_bytes), math.ceil(storage / wishes.disk_bytes))
    tried = ((groups, _query_s(archive, groups, figures, wishes)) for groups in _doubled(least))
    groups, query_s = next(((g, s) for g, s in tried if s <= wishes.query_s), (0, 0.0))
    if groups > least:
        groups = next(
            g for g in range(groups // 2, groups + 1)
            if _query_s(archive, g, figures, wishes) <= wishes.query_s
        )  # fmt: skip
        query_s = _query_s(archive, groups, figures, wishes)
    elif not groups:
        query_s = _query_s(archive, _MOST_GROUPS, figures, wishes)
    return Plan(
        archive, storage, memory, archive.seconds * figures.core_s_per_s / 3600, groups,
        groups * wishes.replicas, query_s, archive.n_videos / figures.indexed_to,
    )  # fmt: skip


def _doubled(least: int) -> Iterator[int]:
    while least <= _MOST_GROUPS:
        yield least
        least *= 2


def _query_s(archive: Archive, groups: int, figures: Figures, wishes: Wishes) -> float:
    """Seconds of a search in equal groups, that are asked side by side."""
    part = Archive(math.ceil(archive.n_videos / groups), archive.minutes)
    share = min(1.0, wishes.n_pairs / archive.n_videos)
    seconds = replace(figures.search, share=share).seconds(part)
    return seconds + (figures.scatter_s if groups > 1 else 0.0)
