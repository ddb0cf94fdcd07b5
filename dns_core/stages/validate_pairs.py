"""Stage ``validate_pairs``.

Reads: artifacts/pairs/labelled_ITEM.parquet, artifacts/split.json; ITEM is the network that labelled them.
Writes: artifacts/quality/validate_pairs_ITEM.json and .html (what is expected and what is not met), and
    artifacts/quality/validate_pairs_ITEM.passed, which the students that learn from ITEM wait for.
Params: validate_pairs.
Repeats exactly: yes, seeded.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
from pydantic import Field

from dns_core.records import FactTable, Float64Array
from dns_core.stages.shared.validation_marker import write_validation_marker
from dns_core.stages.split_videos import VideoSplit, read_split
from dns_core.training.batches import source_id
from dns_core.training.mining import read_table
from dns_core.workspace import StageConfig, StageContext

SIDES = ("train", "validation")


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        sample_pairs: looked at one by one, drawn at random; all are counted.
        least_share: of each side's pairs that must be near, and that must be far.
        least_spread: standard deviation of each side's labels, at least: of equal labels nothing is learnt.
        seed: of the draw.
    """

    sample_pairs: int = Field(ge=1)
    least_share: float = Field(ge=0, le=0.5)
    least_spread: float = Field(ge=0)
    seed: int


def run(config: Config, context: StageContext) -> None:
    """Look at a sample of the labelled pairs, count them all, and have both judged."""
    workspace = context.workspace
    name = f"validate_pairs_{context.item}"
    columns = read_table(workspace.table(f"labelled_{context.item}"))
    columns["crosses"] = crossing(columns, read_split(workspace))
    context.validator.validate(list(_tables(config, columns)), workspace.quality(name))
    write_validation_marker(workspace, name)


def _tables(config: Config, columns: dict[str, list[object]]) -> Iterator[FactTable]:
    limits = config.model_dump()
    n_pairs = len(columns["anchor"])
    drawn = sorted(np.random.default_rng(config.seed).permutation(n_pairs)[: config.sample_pairs])
    sample = {name: [values[row] for row in drawn] for name, values in columns.items()}
    yield FactTable("pairs", "sample", sample, ("anchor", "target"), limits)
    totals: list[dict[str, object]] = [
        {"side": side, **_totals(columns, side)} for side in SIDES if side in columns["side"]
    ]
    yield FactTable(
        "pair_totals", "all", {name: [row[name] for row in totals] for name in totals[0]}, ("side",), limits
    )


def crossing(columns: dict[str, list[object]], split: VideoSplit) -> list[object]:
    """For each pair whether anchor or target stems from a video of another side than the pair's own."""
    sources = frozenset(split.cluster_of)
    side_of = {**dict.fromkeys(split.train, SIDES[0]), **dict.fromkeys(split.validation, SIDES[1])}

    def stays(video: object, side: object) -> bool:
        return side_of.get(source_id(str(video), sources)) == side

    rows = zip(columns["anchor"], columns["target"], columns["side"], strict=True)
    return [not (stays(anchor, side) and stays(target, side)) for anchor, target, side in rows]


def _totals(columns: dict[str, list[object]], side: str) -> dict[str, object]:
    rows = np.flatnonzero(np.asarray(columns["side"]) == side)
    labels: Float64Array = np.asarray(columns["similarity"], dtype=np.float64)[rows]
    pools = np.asarray(columns["pool"])[rows]
    inside = np.isfinite(labels) & (np.abs(labels) <= 1)
    return {
        "pairs": len(rows),
        "near_share": float((pools == "near").mean()),
        "far_share": float((pools == "far").mean()),
        "out_of_range": int((~inside).sum()),
        "crossing": int(sum(cast("list[bool]", columns["crosses"])[row] for row in rows)),
        "spread": float(labels[inside].std()) if inside.any() else 0.0,
    }
