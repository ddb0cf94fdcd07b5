"""What a person says of a match: a copy or not; the service keeps it."""

from typing import cast

import streamlit as st

from dashboards.data.service import service
from dashboards.states import failed_text
from dns_apps.service.client_errors import ServiceError
from dns_apps.service.schemas import MatchRow, Verdict

_SHOWN = {
    "copy": ":material/check: Copy",
    "not_a_copy": ":material/close: Not a copy",
    "unsure": ":material/question_mark: Unsure",
}


def draw_label(query_id: str, match: MatchRow, *, where: str) -> None:
    """Draw a choice of copy or not a copy; keep it at once, and take it back when unchosen.

    Args:
        query_id: whose match.
        match: and what was said of it so far.
        where: tells two choices for one match apart.
    """
    key = f"label-{where}-{query_id}-{match.video_id}"
    st.segmented_control(
        "Verdict", tuple(_SHOWN), format_func=_SHOWN.__getitem__, default=match.label, key=key,
        label_visibility="collapsed", on_change=_keep, args=(query_id, match.video_id, key),
    )  # fmt: skip


def _keep(query_id: str, video_id: str, key: str) -> None:
    verdict = cast("Verdict | None", st.session_state[key])
    try:
        service().put_label(query_id, video_id, verdict)
    except ServiceError as error:
        st.toast(f"Not kept. {failed_text(error)}", icon=":material/error:")
        return
    st.toast("Kept" if verdict else "Taken back", icon=":material/label:")
