"""Models: registered bundles, what they rest on, how they passed the gates, and which is in service."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboards.data import records
from dashboards.formats import plain
from dashboards.pages.models.actions import draw_actions
from dashboards.panels.models import (
    Figures,
    decision_rows,
    gate_rows,
    last_judged,
    lineage,
    setting_name,
    version_rows,
)
from dashboards.states import problems_shown, show_empty
from dashboards.theme import page_head
from dns_ops.releases.registry import BundleVersion


def render() -> None:
    """Draw the page."""
    page_head("Models", "Which bundles there are, what each rests on, and which of them answers queries.")
    versions = records.versions()
    if not versions:
        show_empty(
            "No bundle is registered yet",
            "`dns reproduce`, or the flow `reproduce`, trains one and registers it as the challenger.",
            icon="model_training",
        )
        return
    decisions = records.decisions()
    _draw_summary(versions)
    with problems_shown("actions"):
        draw_actions(versions, decisions)
    _draw_versions(versions)
    _draw_version(versions, decisions)
    st.subheader("Decisions", anchor=False)
    with problems_shown("decisions"):
        _draw_decisions(decisions)


def _draw_summary(versions: Sequence[BundleVersion]) -> None:
    champion = records.champion_version()
    challenger = next((v.version for v in versions if "challenger" in v.aliases), 0)
    with st.container(horizontal=True):
        st.metric("Champion", f"v{champion}" if champion else "none", border=True)
        waits = "none" if challenger in (0, champion) else f"v{challenger}"
        st.metric("Challenger", waits, border=True)
        st.metric("Registered", len(versions), border=True)


def _draw_versions(versions: Sequence[BundleVersion]) -> None:
    figures: dict[int, Figures | None] = {}
    setting = "the setting in service"
    with problems_shown("figures"):
        setting = f"the setting in service, {setting_name(records.gate_limits().budget)}"
        figures = {v.version: records.figures_of(v) for v in versions[:50]}
    number = {
        name: st.column_config.NumberColumn(format="%.3f", help=f"of {setting}")
        for row in version_rows(versions, figures)
        for name in row
        if name.startswith("mAP")
    }
    st.dataframe(
        version_rows(versions, figures), hide_index=True, key="versions", column_config=number,
        height=min(36 * (len(versions) + 1), 400),
    )  # fmt: skip
    st.caption(
        f"Precision is of {setting}: as the gates measured it from video files, or "
        "else as the evaluation of its run did from features."
    )


def _draw_version(versions: Sequence[BundleVersion], decisions: Sequence[dict[str, Any]]) -> None:
    chosen = st.selectbox("Version", versions, format_func=_label, key="version")
    made, gates, figures = st.tabs(["Lineage", "Gates", "Figures"])
    with made, problems_shown("lineage"):
        in_service = records.champion_version() == chosen.version
        ink = "#dbe2ea" if st.context.theme.type == "dark" else "#1b2430"
        graph = lineage(chosen, records.stage_runs(chosen.run_id), in_service=in_service, ink=ink)
        st.graphviz_chart(graph)
        st.caption("Dashed: was up to date and not made again, or is not in service.")
    with gates:
        _draw_gates(chosen, decisions)
    with figures, problems_shown("figures"):
        metrics = records.evaluation_metrics(chosen.run_id)
        if not metrics:
            show_empty("Its run was not evaluated", "The flow `reproduce` evaluates what it trains.")
            return
        st.dataframe(
            [{"figure": name, "value": value} for name, value in sorted(metrics.items())],
            hide_index=True, key="figures",
            column_config={"value": st.column_config.NumberColumn(format="%.4f")},
        )  # fmt: skip


def _draw_gates(chosen: BundleVersion, decisions: Sequence[dict[str, Any]]) -> None:
    judged = last_judged(decisions, chosen.version)
    if judged is None:
        show_empty(
            f"Version {chosen.version} has not been through the gates",
            "*Promote* measures it beside the champion, and says of each gate whether it passed.",
            icon="rule",
        )
        return
    st.caption(f"{plain(judged['action'])} at {plain(judged['at'])} by {plain(str(judged['who']))}")
    st.dataframe(gate_rows(judged), hide_index=True, key="gates")


def _draw_decisions(decisions: Sequence[dict[str, Any]]) -> None:
    if not decisions:
        show_empty(
            "Nothing was decided yet", "What is promoted, refused, rejected or rolled back stands here."
        )
        return
    st.dataframe(
        decision_rows(decisions), hide_index=True, key="decisions",
        height=min(36 * (len(decisions) + 1), 400),
    )  # fmt: skip
    st.caption("Each row seals the one before it: one that was altered is noticed.")


def _label(version: BundleVersion) -> str:
    return f"v{version.version}" + (f" ({', '.join(version.aliases)})" if version.aliases else "")
