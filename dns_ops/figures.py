"""Pictures of what stages write: losses, the trade-off curve, the calibration."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dns_core.store.atomic import read_json


def drawn(path: Path) -> Iterator[tuple[str, Figure]]:
    """Yield a name and a picture of what ``path`` holds, if it is a file that can be drawn."""
    if path.parent.name == "training" and path.suffix == ".json":
        yield f"loss_{path.stem}", _figure(_losses, read_json(path))
    elif path.name in _BY_NAME:
        yield path.stem, _figure(_BY_NAME[path.name], read_json(path))


def _figure(draw: Callable[[Axes, Any], None], content: Any) -> Figure:
    figure = Figure(figsize=(6, 4), layout="constrained")
    draw(figure.subplots(), content)
    return figure


def _losses(axes: Axes, content: Any) -> None:
    for side in ("train", "validation"):
        losses = content[f"{side}_losses"]
        axes.plot(range(1, len(losses) + 1), losses, marker=".", label=side)
    axes.axvline(content["best_epoch"] + 1, linestyle=":", color="grey", label="kept")
    axes.set(xlabel="epoch", ylabel="loss")
    axes.legend()


def _trade_off(axes: Axes, content: Any) -> None:
    for method in dict.fromkeys(row["method"] for row in content):
        rows = [row for row in content if row["method"] == method]
        axes.plot(
            [row["seconds_per_query"] for row in rows], [row["map"] for row in rows], marker="o", label=method
        )
    axes.set(xlabel="seconds a query", ylabel="mAP", xscale="log")
    axes.legend()


def _calibration(axes: Axes, content: Any) -> None:
    scores = np.linspace(-1, 1, 201)
    for name, scale in sorted(content["scales"].items()):
        log_odds = scale["match"]["slope"] * scores + scale["match"]["intercept"]
        axes.plot(scores, 1 / (1 + np.exp(-log_odds)), label=name)
    axes.set(xlabel="half the height above the query's strangers", ylabel="probability of a match")
    axes.legend()


_BY_NAME: dict[str, Callable[[Axes, Any], None]] = {
    "trade_off.json": _trade_off,
    "calibration.json": _calibration,
}
