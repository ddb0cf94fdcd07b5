"""When a deployment starts by itself, switched on and off."""

import streamlit as st

from dashboards import records
from dashboards.formats import plain
from dashboards.states import problems_shown
from flows.records import Deployment


def draw_schedules(deployment: Deployment) -> None:
    """The schedules of a deployment, with a switch each, and a field for another."""
    server = records.flow_server()
    for row in deployment.schedules:
        with st.container(horizontal=True, vertical_alignment="center"):
            on = st.toggle(plain(row.when), value=row.active, key=f"schedule-{row.schedule_id}")
            gone = st.button("Remove", icon=":material/delete:", key=f"remove-{row.schedule_id}")
        if gone or on != row.active:
            with problems_shown("schedule"):
                if gone:
                    server.remove_schedule(deployment.deployment_id, row.schedule_id)
                else:
                    server.set_schedule(deployment.deployment_id, row.schedule_id, active=on)
                records.deployments.clear()
                st.rerun()
    if not deployment.schedules:
        st.caption("It starts only when it is asked to.")
    with (
        st.form(f"cron-{deployment.name}", border=False, clear_on_submit=True),
        st.container(horizontal=True),
    ):
        cron = st.text_input(
            "Add a schedule (crontab, UTC)", placeholder="0 3 * * *", key=f"cron-text-{deployment.name}",
            help="Minute, hour, day of the month, month, day of the week: `0 3 * * *`: at three.",
        )  # fmt: skip
        added = st.form_submit_button("Add", icon=":material/add:")
    if added:
        with problems_shown("add a schedule"):
            server.add_schedule(deployment.deployment_id, cron)
            records.deployments.clear()
            st.rerun()
