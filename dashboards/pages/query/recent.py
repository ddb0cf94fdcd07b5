"""What was asked lately, and the labels for other programs."""

from functools import partial
from typing import Literal

import streamlit as st

from dashboards.data.service import service
from dashboards.formats import ago, counted
from dashboards.pages.query.address import go_to
from dashboards.pages.query.labels import draw_labels
from dashboards.states import show_empty
from dns_apps.service.schemas import QuerySummary

_LISTED = 100
_FORMS: tuple[tuple[Literal["csv", "json"], str], ...] = (("csv", "text/csv"), ("json", "application/json"))


def draw_recent() -> None:
    """Draw the latest queries; choosing one opens it."""
    st.subheader("Recent queries", anchor=False)
    rows = service().queries(limit=_LISTED).items
    if any(row.title for row in rows) and st.toggle("Named ones only", key="named-only"):
        rows = tuple(row for row in rows if row.title)
    if not rows:
        show_empty("Nothing was asked yet", "Upload a video above, or pick one of the index.", "history")
        return
    chosen = st.dataframe(
        [_row(row) for row in rows], hide_index=True, key="recent", on_select="rerun",
        selection_mode="single-row", height=min(36 * (len(rows) + 1) + 2, 320),
        column_config={"score": st.column_config.ProgressColumn(format="%.3f", min_value=0, max_value=1)},
    )["selection"]["rows"]  # fmt: skip
    st.caption("Tick a row to open it.")
    if chosen:
        go_to(rows[chosen[0]].id)
        st.rerun()


def draw_exports() -> None:
    """Offer what people said of matches, as files; nothing if there are no labels."""
    total = service().labels(limit=1).total
    if not total:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{counted(total, 'label')} kept", width="content")
        with st.popover("Who labelled what", icon=":material/label:"):
            draw_labels()
        for form, mime in _FORMS:
            st.download_button(
                f"Labels as {form.upper()}", partial(service().exported_labels, form), f"labels.{form}", mime,
                icon=":material/download:", key=f"labels-{form}", on_click="ignore",
            )  # fmt: skip


def _row(row: QuerySummary) -> dict[str, object]:
    answered = row.state == "done"  # one that failed has found nothing, not nothing alike
    return {
        "name": row.title,
        "query": row.name,
        "state": row.state,
        "matches": row.n_matches if answered else None,
        "best match": row.best if answered else "",
        "score": row.best_score if answered else None,
        "asked": ago(row.created_at),
    }
