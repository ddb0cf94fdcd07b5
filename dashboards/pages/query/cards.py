"""The matches of an answer as cards: which are shown, which are selected, and what is said of them."""

from functools import partial

import streamlit as st

from dashboards.formats import counted, plain, short_name
from dashboards.pages.query.address import go_to
from dashboards.pages.query.labels import SHOWN, draw_label, draw_reviewer, keep_verdict
from dashboards.panels.matches import score_words, thumbnail_moment, timeline_html
from dashboards.states import show_empty
from dashboards.widgets.pictures import video_durations, video_pictures
from dns_apps.service.schemas import MatchRow, Query, Verdict

_ALL, _LEFT = "All", "Without a verdict"


def query_span(query: Query) -> tuple[float, float]:
    """Start and end of the part that was searched with, on the video's own clock."""
    start = query.searched.start_s
    return start, start + query.duration_s


def draw_name(match: MatchRow, longest: int = 32) -> None:
    """Score in words and in figures, badge and name of a match."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{score_words(match.score)}** {match.score:.3f}", width="content")
        if match.stage == "fine":
            st.badge("fine", color="blue", help="A fine network compared the two frame by frame.")
        else:
            st.badge(
                "coarse", color="gray", help="Ranked by one vector a video; not compared frame by frame."
            )
        if match.same_file:
            st.badge("the query itself", color="violet", help="The same file as the query, byte for byte.")
        st.caption(f"#{match.rank}", width="content")
    shown = short_name(match.video_id, longest)
    st.markdown(plain(shown), help=None if shown == match.video_id else plain(match.video_id))


def draw_cards(query: Query, matches: tuple[MatchRow, ...]) -> None:
    """Draw the matches that the filter leaves, with verdicts on those that are selected."""
    shown = _draw_choice(query, matches)
    if not shown:
        show_empty("Every match has a verdict", "Choose *All* to see them again.", "verified")
        return
    moments = tuple((match.video_id, thumbnail_moment(match)) for match in shown)
    with st.spinner("Fetching pictures …"):
        pictures = video_pictures(moments)
        durations = video_durations(tuple(match.video_id for match in shown))
    with st.container(horizontal=True, key="cards"):
        for match, picture, duration_s in zip(shown, pictures, durations, strict=True):
            _draw_card(query, match, picture, duration_s)


def _draw_choice(query: Query, matches: tuple[MatchRow, ...]) -> tuple[MatchRow, ...]:
    """The matches that are shown; draws the filter, and the verdicts on a selection."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="choice"):
        kind = st.segmented_control(
            "Show", [_ALL, _LEFT], default=_ALL, required=True, key=f"shown-{query.id}",
            label_visibility="collapsed",
        )  # fmt: skip
        shown = tuple(row for row in matches if kind == _ALL or row.label is None)
        keys = [_key(query, row) for row in shown]
        chosen = [row for row, key in zip(shown, keys, strict=True) if st.session_state.get(key)]
        st.button(
            "Select all" if len(chosen) < len(shown) else "Select none", key="select-all",
            icon=":material/select_all:", on_click=_select, args=(keys, len(chosen) < len(shown)),
            disabled=not shown,
        )  # fmt: skip
        if chosen:
            st.markdown(f"{counted(len(chosen), 'match', 'matches')} selected:", width="content")
            for verdict, shown_as in SHOWN.items():
                icon, _, name = shown_as.rpartition(": ")
                st.button(
                    name, icon=f"{icon}:", key=f"bulk-{verdict}",
                    on_click=partial(_judge, query, chosen, verdict),
                )  # fmt: skip
            draw_reviewer()
    return shown


def _draw_card(query: Query, match: MatchRow, picture: bytes | None, duration_s: float) -> None:
    with st.container(border=True, gap="xsmall", key=f"card-{match.rank}"):
        if picture:
            st.image(picture, width="stretch", alt=f"a moment of {match.video_id}")
        else:
            st.caption(":material/hide_image: no picture of this video")
        draw_name(match)
        st.html(timeline_html(match, query_span(query), duration_s))
        draw_label(query.id, match, where="card")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.checkbox(f"Select #{match.rank}", key=_key(query, match))
            st.button(
                f"Compare #{match.rank}", key=f"open-{match.rank}", icon=":material/compare:",
                on_click=go_to, args=(query.id, match.video_id),
            )  # fmt: skip


def _key(query: Query, match: MatchRow) -> str:
    return f"selected-{query.id}-{match.video_id}"


def _select(keys: list[str], chosen: bool) -> None:
    st.session_state.update(dict.fromkeys(keys, chosen))


def _judge(query: Query, matches: list[MatchRow], verdict: Verdict) -> None:
    """Keep a verdict on all of the selection, and undo the selection."""
    if keep_verdict(query.id, [row.video_id for row in matches], verdict):
        for row in matches:
            st.session_state[_key(query, row)] = False
            st.session_state[f"label-card-{query.id}-{row.video_id}"] = verdict
        st.toast(f"Kept for {counted(len(matches), 'match', 'matches')}", icon=":material/label:")
