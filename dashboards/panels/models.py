"""Bundles, what they rest on, and what was decided of them: rows, gates and a graph."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboards.formats import moment, printable
from dns_ops.registry import BundleVersion
from dns_ops.run_records import RunRecord

_GREY, _BLUE, _GREEN, _ORANGE = "#8793a1", "#3d7dca", "#2f9e77", "#d9822b"


def version_rows(
    versions: Sequence[BundleVersion], figures: Mapping[int, Mapping[str, float]]
) -> list[dict[str, Any]]:
    """A row a version for a table, with the precision that its own evaluation found.

    Args:
        versions: the newest first.
        figures: metrics of the evaluation by version, where there was one.
    """
    return [
        {
            "version": row.version,
            "is": ", ".join(row.aliases),
            **map_figures(figures.get(row.version, {})),
            "bundle": row.fingerprint[:12],
            "data": row.data_version[:12],
            "commit": row.commit[:12],
            "run": row.run_id[:8],
        }
        for row in versions
    ]


def map_figures(metrics: Mapping[str, float]) -> dict[str, float]:
    """Of an evaluation's metrics, the best network's mean average precision by task, called ``mAP TASK``."""
    found: dict[str, float] = {}
    for name, value in metrics.items():
        kind, _, rest = name.partition(".")
        if kind == "map" and not rest.startswith("teacher."):
            task = f"mAP {rest.rpartition('.')[2]}"
            found[task] = max(value, found.get(task, 0.0))
    return dict(sorted(found.items()))


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
