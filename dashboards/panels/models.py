"""Bundles, what they rest on, and what was decided of them: rows, gates and a graph."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboards.formats import moment, printable
from dns_core.evaluation.gates import GateLimits
from dns_core.evaluation.report import EvaluationReport
from dns_ops.releases.registry import BundleVersion
from dns_ops.tracking.run_queries import RunRecord

_GREY, _BLUE, _GREEN, _ORANGE = "#8793a1", "#3d7dca", "#2f9e77", "#d9822b"


_FINE = "fine_binary"
"""The network that answers queries unless a query asks for another, and that the gates measure."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How a version finds, in the setting in which it answers.

    Attributes:
        map: mean average precision in [0, 1] by task.
        measured_by: ``gates`` or ``its evaluation``.
        p95_query_s: seconds within which 95 of 100 queries were answered; None if only the gates would know.
        bytes_per_video: that a search reads; None likewise.
        coverage: share in [0, 1] that was judged.
    """

    map: Mapping[str, float]
    measured_by: str
    p95_query_s: float | None = None
    bytes_per_video: float | None = None
    coverage: float | None = None


def setting_name(budget: float) -> str:
    """The setting in service as people call it."""
    return f"DnS binary, {budget:.0%} re-ranked"


def figures_in_service(
    decisions: Sequence[Mapping[str, Any]], version: int, report: EvaluationReport | None, budget: float
) -> Figures | None:
    """Of a version in the setting in service: the gates' if it met them, else its own evaluation's.

    Args:
        decisions: the oldest first.
        version: of the bundle.
        report: of its evaluation; None if there was none.
        budget: share that is re-ranked, of the setting in service and of the gates.
    """
    for row in reversed(decisions):
        found = row.get("figures", {}).get(str(version))
        if found and row.get("budget", budget) == budget:
            return Figures(
                found["map"], "gates", found["p95_query_s"], found["bytes_per_video"], found["coverage"]
            )
    for row in report["methods"] if report else ():
        if (row["method"], row["budget"]) == (f"dns_{_FINE}", budget):
            return Figures(row["map"], "its evaluation", None, row["bytes_per_video"], row["coverage"])
    return None


def promotion_rows(before: Figures | None, after: Figures | None, limits: GateLimits) -> list[dict[str, str]]:
    """What is known before a promotion, a row a gate: the champion's figure, the challenger's, and the limit.

    Args:
        before: of the champion; None if there is none.
        after: of the version that is to be promoted; None if it was never measured in this setting.
        limits: of the gates.
    """

    def row(figure: str, get: Callable[[Figures], float | None], form: str, gate: str) -> dict[str, str]:
        now, then = (get(found) if found else None for found in (before, after))
        return {
            "figure": figure,
            "champion now": "-" if now is None else form.format(now),
            "this version": "measured by the run" if then is None else form.format(then),
            "gate": gate,
        }

    rows = []
    for task in sorted({name for found in (before, after) if found for name in found.map}):
        least = max(0.0, before.map.get(task, 0.0) - limits.map_tolerance) if before else 0.0
        rows.append(row(f"mAP {task}", lambda f, t=task: f.map.get(t), "{:.3f}", f"at least {least:.3f}"))  # type: ignore[misc]
    coverage = (before.coverage if before else None) or 0.0
    rows.append(row("coverage", lambda f: f.coverage, "{:.1%}", f"at least {coverage:.1%}"))
    slowest = f"at most {limits.p95_query_s:g}"
    rows.append(row("95 of 100 queries within, s", lambda f: f.p95_query_s, "{:.2f}", slowest))
    largest = f"at most {limits.bytes_per_video / 1024:.1f}"
    rows.append(row("KiB a video", _kib, "{:.1f}", largest))
    return rows


def _kib(figures: Figures) -> float | None:
    return None if figures.bytes_per_video is None else figures.bytes_per_video / 1024


def version_rows(
    versions: Sequence[BundleVersion], figures: Mapping[int, Figures | None]
) -> list[dict[str, Any]]:
    """A row a version for a table, with its precision in the setting in service.

    Args:
        versions: the newest first.
        figures: by version, where there are some.
    """
    return [
        {
            "version": row.version,
            "is": ", ".join(row.aliases),
            **_precision(figures.get(row.version)),
            "bundle": row.fingerprint[:12],
            "data": row.data_version[:12],
            "commit": row.commit[:12],
            "run": row.run_id[:8],
        }
        for row in versions
    ]


def _precision(figures: Figures | None) -> dict[str, Any]:
    if figures is None:
        return {}
    found = {f"mAP {task}": value for task, value in sorted(figures.map.items())}
    return {**found, "measured by": figures.measured_by}


def gate_rows(decision: Mapping[str, Any]) -> list[dict[str, str]]:
    """The gates of a decision, failed ones first."""
    gates = sorted(decision.get("gates", ()), key=lambda gate: gate["passed"])
    return [
        {
            "": "✅ passed" if gate["passed"] else "❌ failed",
            "gate": gate["name"],
            "expected": gate["expected"],
            "found": printable(gate["found"]),
        }
        for gate in gates
    ]


def last_judged(decisions: Sequence[Mapping[str, Any]], version: int) -> Mapping[str, Any] | None:
    """The newest decision on a version that went through the gates; None if none did."""
    judged = [row for row in decisions if row["version"] == version and row.get("gates")]
    return judged[-1] if judged else None


def decision_rows(decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a decision for a table, the newest first."""
    return [
        {
            "when": moment(datetime.fromisoformat(row["at"])),
            "who": printable(str(row["who"])),
            "what": row["action"],
            "version": row["version"],
            "champion": f"{row['before'] or 'none'} → {row['after'] or 'none'}",
            "reason": printable(str(row.get("reason", ""))),
            "failed gates": ", ".join(gate["name"] for gate in row.get("gates", ()) if not gate["passed"]),
        }
        for row in reversed(decisions)
    ]


def lineage(
    version: BundleVersion, stages: Sequence[RunRecord], *, in_service: bool, ink: str = "#1b2430"
) -> str:
    """What a bundle came from and went into, as a graph in Graphviz's language, from left to right.

    Args:
        version: of the bundle.
        stages: runs of the reproduction that made it; what was up to date did not run, and is drawn dashed.
        in_service: whether its index answers queries now.
        ink: colour of the text.
    """
    ran = {run.stage: run for run in stages}
    networks = [name.partition("@")[2] for name in ran if name.startswith("train_student@")]
    students = networks or ["coarse", "fine_attention", "fine_binary"]
    nodes = {
        "data": ("data version", version.data_version[:12] or "not recorded", _GREY, True),
        "features": ("features", _said(ran, "extract_features"), _BLUE, "extract_features" in ran),
        "similarities": ("similarities", _said(ran, "score_pairs"), _BLUE, "score_pairs" in ran),
        **{
            name: (name.replace("_", " "), _said(ran, f"train_student@{name}"), _BLUE,
                   f"train_student@{name}" in ran)
            for name in students
        },
        "bundle": (f"bundle {version.version}", version.fingerprint[:12], _GREEN, True),
        "index": ("index", "in service" if in_service else "not in service", _ORANGE, in_service),
    }  # fmt: skip
    edges = [("data", "features"), ("features", "similarities")]
    edges += [edge for name in students for edge in (("similarities", name), (name, "bundle"))]
    edges.append(("bundle", "index"))
    drawn = [_node(key, node, ink) for key, node in nodes.items()]
    drawn += [f'"{_safe(a)}" -> "{_safe(b)}"' for a, b in edges]
    style = (
        'graph [rankdir=LR, bgcolor="transparent", nodesep=0.18, ranksep=0.35]; '
        'node [shape=box, fontname="sans-serif", fontsize=11, margin="0.12,0.06"]; '
        f'edge [color="{_GREY}", arrowsize=0.6];'
    )
    return f"digraph {{ {style} {'; '.join(drawn)} }}"


def _said(ran: Mapping[str, RunRecord], stage: str) -> str:
    run = ran.get(stage)
    return f"{run.seconds or 0:.0f} s, {run.status.lower()}" if run else "as before"


def _node(key: str, node: tuple[str, str, str, bool], ink: str) -> str:
    """A box of a title and a detail, in a colour, filled if it was made."""
    title, detail, colour, solid = node
    line = "rounded,filled" if solid else "rounded,dashed"
    fill = f'fillcolor="{colour}22", ' if solid else ""
    label = f"{_safe(title)}\\n{_safe(detail)}"
    return f'"{_safe(key)}" [label="{label}", style="{line}", {fill}color="{colour}", fontcolor="{ink}"]'


def _safe(text: str) -> str:
    """Text that ends no string of Graphviz's."""
    return "".join(character for character in printable(text) if character not in '"\\<>')
