"""What a person says of a match: a copy or not; the service keeps it, with who said so and when."""

from collections.abc import Sequence
from typing import cast

import streamlit as st

from dashboards.data.service import has_provider, service
from dashboards.formats import ago, counted, plain
from dashboards.states import failed_text
from dns_apps.service.client_errors import ServiceError
from dns_apps.service.schemas import Label, MatchRow, Verdict

SHOWN: dict[Verdict, str] = {
    "copy": ":material/check: Copy",
    "not_a_copy": ":material/close: Not a copy",
    "unsure": ":material/question_mark: Unsure",
}
_NAME = "reviewer"
_LISTED = 200


def reviewer() -> str:
    """Who labels: who has signed in, or who gave a name in this session; empty if neither."""
    if has_provider() and st.user.is_logged_in:
        return str(st.user.get("email") or "")
    return str(st.session_state.get(f"{_NAME}-kept", "")).strip()


def draw_reviewer() -> None:
    """Ask for the name that labels carry, unless somebody has signed in."""
    if has_provider():
        return
    st.text_input(
        "Your name", reviewer(), max_chars=100, key=_NAME, placeholder="kept with your labels", width=240,
        on_change=_remember,
    )  # fmt: skip


def draw_label(query_id: str, match: MatchRow, *, where: str) -> None:
    """Draw a choice of copy or not a copy; keep it at once, and take it back when unchosen.

    Args:
        query_id: whose match.
        match: and what was said of it so far.
        where: tells two choices for one match apart.
    """
    key = f"label-{where}-{query_id}-{match.video_id}"
    st.segmented_control(
        f"Verdict on match {match.rank}", tuple(SHOWN), format_func=SHOWN.__getitem__, default=match.label,
        key=key, label_visibility="collapsed", on_change=_chosen, args=(query_id, match.video_id, key),
    )  # fmt: skip


def keep_verdict(query_id: str, video_ids: Sequence[str], verdict: Verdict | None) -> bool:
    """Keep a verdict on videos, or take theirs back; whether all were kept. A failure is told."""
    try:
        for video_id in video_ids:
            service().put_label(query_id, video_id, verdict, labelled_by=reviewer())
    except ServiceError as error:
        st.toast(f"Not kept. {failed_text(error)}", icon=":material/error:")
        return False
    return True


def draw_labels(query_id: str = "") -> None:
    """Draw who labelled what and when, the newest first; of one query if it is named."""
    page = service().labels(query_id, limit=_LISTED)
    if not page.items:
        st.caption("No match has a label yet.")
        return
    st.table([_row(label) for label in page.items], hide_index=True, border="horizontal")
    if page.total > len(page.items):
        st.caption(f"The newest {len(page.items)} of {counted(page.total, 'label')}; the export has all.")


def _row(label: Label) -> dict[str, str]:
    return {
        "query": plain(label.query_name),
        "video": plain(label.video_id),
        "verdict": SHOWN[label.verdict],
        "by": plain(label.labelled_by) or "-",
        "when": ago(label.labelled_at),
    }


def _remember() -> None:
    # The state of a widget that is not drawn is forgotten.
    st.session_state[f"{_NAME}-kept"] = st.session_state[_NAME]


def _chosen(query_id: str, video_id: str, key: str) -> None:
    verdict = cast("Verdict | None", st.session_state[key])
    if keep_verdict(query_id, (video_id,), verdict):
        st.toast("Kept" if verdict else "Taken back", icon=":material/label:")
