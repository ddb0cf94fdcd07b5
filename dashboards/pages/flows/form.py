"""The form of a deployment, from the types of its flow's parameters."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboards.data import records
from dashboards.formats import plain
from dashboards.panels.form import Field, form_fields, form_values
from dashboards.states import problems_shown
from dashboards.widgets.run_view import open_run
from flows.records import Deployment


def draw_form(deployment: Deployment) -> None:
    """Draw the form of a deployment, and at once the run that it starts."""
    fields = form_fields(deployment.schema, deployment.parameters)
    with st.form(f"form-{deployment.name}", border=True):
        st.markdown(plain(deployment.description) if deployment.description else "No description.")
        filled = {row.name: _widget(row, f"{deployment.name}-{row.name}") for row in fields}
        asked = st.form_submit_button("Run", icon=":material/play_arrow:", type="primary", key="run-flow")
    if asked:
        with problems_shown("start a flow"):
            started = records.flow_server().start(deployment.deployment_id, form_values(fields, filled))
            st.toast(f"{plain(deployment.name)} was asked for: {plain(started.name)}")
            open_run(started.run_id)


def _widget(row: Field, key: str) -> Any:
    label = row.name + (" (required)" if row.required else "")
    options: dict[str, Any] = {"help": plain(row.help) or None, "key": f"field-{key}"}
    if row.kind == "yes_no":
        return st.checkbox(label, value=bool(row.default), **options)
    if row.kind == "choice":
        index = row.choices.index(row.default) if row.default in row.choices else 0
        return st.selectbox(label, row.choices, index=index, **options)
    if row.kind in ("integer", "number"):
        return _number(row, label, options)
    if row.kind == "text":
        return st.text_input(label, value=str(row.default or ""), **options)
    if row.kind == "lines":
        return st.text_area(label, value="\n".join(row.default or ()), placeholder="one a line", **options)
    return st.text_area(
        label, value="" if row.default is None else json.dumps(row.default), placeholder="JSON", **options
    )


def _number(row: Field, label: str, options: Mapping[str, Any]) -> float | None:
    whole = row.kind == "integer"
    kind: type[int] | type[float] = int if whole else float
    limits: dict[str, Any] = {
        name: None if limit is None else kind(limit)
        for name, limit in (("min_value", row.least), ("max_value", row.most))
    }
    value = None if row.default is None else kind(row.default)
    found: float | None = st.number_input(label, value=value, step=1 if whole else None, **limits, **options)
    return found
