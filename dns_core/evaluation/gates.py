"""Whether a challenger may take the champion's place: a gate a figure, with what it expected and found."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


class GateLimits(BaseModel):
    """What a bundle must keep to.

    Attributes:
        budget: share of the index that is re-ranked when a bundle is measured.
        map_tolerance: how much lower than the champion's a task's mean average precision may be.
        p95_query_s: longest time in seconds that 95 of 100 queries may take, decoding included.
        bytes_per_video: most bytes of the index that a search reads for a video.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: float = Field(ge=0, le=1)
    map_tolerance: float = Field(ge=0, le=1)
    p95_query_s: float = Field(gt=0)
    bytes_per_video: float = Field(gt=0)


@dataclass(frozen=True, slots=True)
class ReleaseFigures:
    """What a bundle and its index were measured to do on a benchmark.

    Attributes:
        map: mean average precision in [0, 1] by task.
        p95_query_s: seconds within which 95 of 100 queries were answered.
        bytes_per_video: bytes of the index that a search reads, a video.
        coverage: share in [0, 1] of queries and videos that could be judged.
    """

    map: Mapping[str, float]
    p95_query_s: float
    bytes_per_video: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a promotion, and whether it holds."""

    name: str
    passed: bool
    expected: str
    found: str


def judge_release(
    challenger: ReleaseFigures, champion: ReleaseFigures | None, limits: GateLimits
) -> tuple[Gate, ...]:
    """A gate for each task, then for coverage, time and size.

    Without a champion there is nothing that a task must reach. A task that the challenger was not measured
    on counts as 0.

    Args:
        challenger: measured on the benchmark.
        champion: measured on the same; None if there is none yet.
        limits: what must hold.
    """
    gates = []
    for task, best in sorted((champion or challenger).map.items()):
        least = best - limits.map_tolerance if champion else 0.0
        gates.append(_at_least(f"mAP {task}", challenger.map.get(task, 0.0), least))
    gates.append(_at_least("coverage", challenger.coverage, champion.coverage if champion else 0.0))
    gates.append(_at_most("p95 query s", challenger.p95_query_s, limits.p95_query_s))
    gates.append(_at_most("bytes per video", challenger.bytes_per_video, limits.bytes_per_video))
    return tuple(gates)


def _at_least(name: str, found: float, least: float) -> Gate:
    return Gate(name, found >= least, f"at least {_plain(least)}", _plain(found))


def _at_most(name: str, found: float, most: float) -> Gate:
    return Gate(name, found <= most, f"at most {_plain(most)}", _plain(found))


def _plain(figure: float) -> str:
    """Four digits, and never a power of ten: 22370 and not 2.237e+04."""
    return f"{figure:.0f}" if abs(figure) >= 1000 else f"{figure:.4g}"
