"""When a deployment starts by itself, switched on and off."""

import streamlit as st

from dashboards.data import records
from dashboards.formats import plain
from dashboards.states import problems_shown
from flows.records import Deployment, Schedule


def draw_schedules(deployment: Deployment) -> None:
    """Draw the schedules of a deployment, with a switch each, and a field for another."""
    for row in deployment.schedules:
        with st.container(horizontal=True, vertical_alignment="center"):
            key = f"schedule-{row.schedule_id}"
            st.toggle(
                plain(row.when), value=row.active, key=key, on_change=_switch, args=(deployment, row, key)
            )
            st.button(
                "Remove", icon=":material/delete:", key=f"remove-{row.schedule_id}", on_click=_remove,
                args=(deployment, row),
            )  # fmt: skip
    if not deployment.schedules:
        st.caption("It starts only when it is asked to.")
    form = st.form(f"cron-{deployment.name}", border=False, clear_on_submit=True)
    with form, st.container(horizontal=True, vertical_alignment="bottom"):
        cron = st.text_input(
            "Add a schedule (crontab, UTC)", placeholder="0 3 * * *", key=f"cron-text-{deployment.name}",
            help="Minute, hour, day of the month, month, day of the week: `0 3 * * *` is every night at 3.",
        )  # fmt: skip
        added = st.form_submit_button("Add", icon=":material/add:")
    if added:
        with problems_shown("add a schedule"):
            records.flow_server().add_schedule(deployment.deployment_id, cron)
            records.deployments.clear()
            st.rerun()


def _switch(deployment: Deployment, row: Schedule, key: str) -> None:
    with problems_shown("schedule"):
        active = bool(st.session_state[key])
        records.flow_server().set_schedule(deployment.deployment_id, row.schedule_id, active=active)
        records.deployments.clear()


def _remove(deployment: Deployment, row: Schedule) -> None:
    with problems_shown("schedule"):
        records.flow_server().remove_schedule(deployment.deployment_id, row.schedule_id)
        records.deployments.clear()
