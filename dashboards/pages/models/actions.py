"""Promote, reject and roll back: asked for with a reason, confirmed, followed, and on record."""

import getpass
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboards.data import records
from dashboards.data.service import workspace
from dashboards.formats import message
from dashboards.panels.models import promotion_rows, setting_name
from dashboards.states import problems_shown
from dashboards.widgets.run_view import draw_run
from dns_core.errors import InputError
from dns_ops.pipeline.workspace_lock import workspace_lock
from dns_ops.releases.decisions import Request, reject
from dns_ops.releases.registry import BundleVersion
from flows.server import FlowServerError

_FOLLOWED = "followed-decision"


def draw_actions(versions: Sequence[BundleVersion], decisions: Sequence[Mapping[str, Any]]) -> None:
    """Draw a button for each decision, and the run that carries out the last one."""
    champion = records.champion_version()
    challenger = next((v.version for v in versions if "challenger" in v.aliases), 0)
    has_former = any(row["after"] == champion != row["before"] and row["before"] for row in decisions)
    with st.container(horizontal=True):
        if st.button(
            "Promote …", icon=":material/upgrade:", type="primary", key="promote",
            disabled=all(v.version == champion for v in versions),
            help="Measure a version beside the champion; it takes its place if it passes every gate.",
        ):  # fmt: skip
            _promote_dialog(versions, champion, challenger)
        if st.button(
            "Reject …", icon=":material/thumb_down:", key="reject", disabled=challenger in (0, champion),
            help="The challenger is one no more; it stays registered.",
        ):  # fmt: skip
            _reject_dialog(challenger)
        if st.button(
            "Roll back …", icon=":material/undo:", key="rollback", disabled=not has_former,
            help="The champion before this one answers again, with its index.",
        ):  # fmt: skip
            _rollback_dialog(champion)
    followed = st.session_state.get(_FOLLOWED)
    if followed:
        draw_run(*followed)


@st.dialog("Promote a version")
def _promote_dialog(versions: Sequence[BundleVersion], champion: int, challenger: int) -> None:
    known = {v.version: v for v in versions}
    offered = [version for version in known if version != champion]
    index = offered.index(challenger) if challenger in offered else 0
    version = st.selectbox("Version", offered, index=index, format_func=lambda v: f"v{v}", key="promoted")
    with problems_shown("figures"):
        _draw_outlook(known.get(champion), known[version])
    who = _who()
    forced = st.checkbox("Bypass the gates (the index's own gate always counts)", key="forced")
    asked = "Reason" if forced else "Reason (only asked for past the gates)"
    reason = st.text_input(asked, disabled=not forced, key="why-promote")
    if st.button(f"Promote v{version}", type="primary", key="confirm-promote"):
        with problems_shown("promote"):
            if forced and not reason.strip():
                raise InputError("to pass the gates by takes a reason; none was given")
            parameters = {"version": version, "who": who, "reason": reason if forced else ""}
            _start("promote", parameters, f"dns models promote {version}")


def _draw_outlook(now: BundleVersion | None, then: BundleVersion) -> None:
    """Draw what is known before the decision, and what it will do."""
    limits = records.gate_limits()
    before, after = records.figures_of(now) if now else None, records.figures_of(then)
    st.dataframe(promotion_rows(before, after, limits), hide_index=True, key="outlook")
    with st.expander("What will happen", icon=":material/info:"):
        former = f"v{now.version}" if now else "none"
        st.markdown(
            f"1. Version **v{then.version}** gets an index of its own, of the same videos, unless it has "
            "one.\n"
            f"2. It and the champion ({former}) answer every query of the benchmark from the video files, "
            f"with {setting_name(limits.budget)}: minutes on a small corpus.\n"
            "3. If every gate passes, models and index are swapped at once. If one fails, nothing changes "
            "and the refusal is on record.\n"
            "4. The query service answers with the new release some seconds later; queries under way end "
            "with the old one.\n"
            "5. *Roll back …* puts the champion of now back, with its index."
        )


@st.dialog("Roll back")
def _rollback_dialog(champion: int) -> None:
    st.markdown(
        f"Version **v{champion}** leaves service; the champion before it answers again, with its index."
    )
    who, reason = _who(), st.text_input("Reason", key="why-rollback")
    if st.button("Roll back", type="primary", key="confirm-rollback"):
        with problems_shown("roll back"):
            if not reason.strip():
                raise InputError("a rollback is on record with its reason; none was given")
            _start("rollback", {"who": who, "reason": reason}, "dns models rollback")


@st.dialog("Reject the challenger")
def _reject_dialog(challenger: int) -> None:
    st.markdown(
        f"Version **v{challenger}** is the challenger no more. It stays registered, and can be promoted."
    )
    who, reason = _who(), st.text_input("Reason", key="why-reject")
    if st.button(f"Reject v{challenger}", type="primary", key="confirm-reject"):
        with problems_shown("reject"):
            request = Request(who=who, version=challenger, reason=reason)
            with workspace_lock(workspace()):
                reject(workspace(), records.tracking(), request)
            st.cache_data.clear()
            st.rerun()


def _who() -> str:
    return st.text_input("Your name", value=getpass.getuser(), key="who")


def _start(name: str, parameters: Mapping[str, Any], command: str) -> None:
    """Start a run of the flow and follow it; without a server, name the command for it."""
    try:
        server = records.flow_server()
        found = next((row for row in server.deployments() if row.name == name), None)
        if found is None:
            raise FlowServerError(f"{server.api_url}: no flow {name} is deployed")
        run = server.start(found.deployment_id, parameters)
    except FlowServerError as error:
        st.warning(f"Start the platform with `dns up`, or run `{command}` in the workspace.")
        st.caption(message(str(error)))
        return
    st.session_state[_FOLLOWED] = (run.run_id, name)
    st.rerun()
