"""Pictures of what stages write: losses, selectors, the trade-off curve, the calibration."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dns_core.evaluation.report import EvaluationReport
from dns_core.store.atomic import read_json


def drawn(path: Path) -> Iterator[tuple[str, Figure]]:
    """Yield a name and a picture of what ``path`` holds, if it is a file that can be drawn."""
    if path.parent.name == "training" and path.suffix == ".json":
        content = read_json(path)
        yield f"loss_{path.stem}", _figure(_losses, content)
        if "roc" in content:
            yield f"roc_{path.stem}", _figure(_roc, content["roc"])
    elif path.name in _BY_NAME:
        title, draw = _BY_NAME[path.name]
        yield title, _figure(draw, read_json(path))


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


def _roc(axes: Axes, curves: Any) -> None:
    axes.axline((0, 0), slope=1, linestyle=":", color="grey", label="by chance")
    for judge, curve in curves.items():
        label = f"{judge}, area {curve['area']:.3f}"
        axes.plot(curve["false_positive_rate"], curve["true_positive_rate"], label=label)
    axes.set(xlabel="share of the other pairs that is re-ranked", ylabel="share of the worthwhile pairs")
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
    axes.set(xlabel="half the margin above the query's background scores", ylabel="probability of a match")
    axes.legend()


def _reliability(axes: Axes, report: EvaluationReport) -> None:
    axes.axline((0, 0), slope=1, linestyle=":", color="grey", label="as likely as it says")
    for row in report["methods"]:
        if bins := row.get("reliability"):
            predicted, observed = ([each[kind] for each in bins] for kind in ("predicted", "observed"))
            axes.plot(predicted, observed, marker="o", label=row["method"])
    axes.set(xlabel="probability of a match", ylabel="share of the pairs that match")
    axes.legend()


_BY_NAME: dict[str, tuple[str, Callable[[Axes, Any], None]]] = {
    "trade_off.json": ("trade_off", _trade_off),
    "calibration.json": ("calibration", _calibration),
    "report.json": ("reliability", _reliability),
}
