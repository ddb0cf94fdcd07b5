"""Labelling one answer after the other by keyboard: what was asked beside what was found, a key a verdict."""

import streamlit as st

from dashboards.formats import counted, plain, short_name
from dashboards.pages.query.address import go_to, review
from dashboards.pages.query.cards import draw_name, query_span
from dashboards.pages.query.clips import draw_clips
from dashboards.pages.query.labels import draw_reviewer, keep_verdict
from dashboards.panels.matches import thumbnail_moment, timeline_html
from dashboards.states import show_empty
from dashboards.widgets.pictures import query_picture, video_durations, video_pictures
from dns_apps.service.schemas import MatchRow, Query, QueryAnswer, Verdict

_KEYS: tuple[tuple[Verdict, str, str, str], ...] = (
    ("copy", "Copy", "check", "Y"),
    ("not_a_copy", "Not a copy", "close", "N"),
    ("unsure", "Unsure", "question_mark", "U"),
)
_UNDONE, _PLAYED = "review-undo", "review-played"


def draw_review(query: Query, answer: QueryAnswer, video_id: str) -> None:
    """Draw the answer that is next to be judged, how many are left, and the keys.

    Args:
        query: that was asked.
        answer: to it.
        video_id: of the match that is shown; the first without a verdict if it is not among the answers.
    """
    matches = answer.matches
    shown = next((row for row in matches if row.video_id == video_id), None) or _next(matches, 0)
    n_done = sum(row.label is not None for row in matches)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Matches", icon=":material/arrow_back:", on_click=go_to, args=(query.id,), shortcut="Esc")
        st.progress(n_done / max(1, len(matches)), f"{n_done} of {counted(len(matches), 'match', 'matches')}")
        _draw_undo(query)
        draw_reviewer()
    if shown is None:
        show_empty(
            "Every match has a verdict" if matches else "There is no match to judge",
            "Go back to the matches, or search with another video.", icon="verified",
        )  # fmt: skip
        return
    if st.session_state.get(_PLAYED) == (query.id, shown.video_id):
        draw_clips(query, shown)
    else:
        _draw_pictures(query, shown)
    with st.container(horizontal=True, key="verdicts"):
        for verdict, name, icon, key in _KEYS:
            st.button(
                name, icon=f":material/{icon}:", key=f"verdict-{verdict}-{shown.rank}", shortcut=key,
                on_click=_judge, args=(query, shown, verdict),
                type="primary" if shown.label == verdict else "secondary",
            )  # fmt: skip
        _draw_moves(query, matches, shown)


def _draw_undo(query: Query) -> None:
    undone: list[tuple[str, Verdict | None]] = st.session_state.setdefault(f"{_UNDONE}-{query.id}", [])
    st.button(
        "Undo", icon=":material/undo:", shortcut="Z", disabled=not undone, on_click=_undo, args=(query,),
        key="undo-verdict", help="Takes the last verdict back, and shows its match again.",
    )  # fmt: skip


def _draw_pictures(query: Query, match: MatchRow) -> None:
    start, stop = query_span(query)
    moment = match.segments[0].query_start_s if match.segments else (start + stop) / 2
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption(f"Asked: {plain(short_name(query.name, 60))}")
        _draw_picture(query_picture(query.id, moment), query.name)
    with right:
        draw_name(match, longest=60)
        picture = video_pictures(((match.video_id, thumbnail_moment(match)),))[0]
        _draw_picture(picture, match.video_id)
        st.html(timeline_html(match, query_span(query), video_durations((match.video_id,))[0]))


def _draw_picture(picture: bytes | None, name: str) -> None:
    if picture:
        st.image(picture, width="stretch", alt=f"a moment of {name}")
    else:
        st.caption(":material/hide_image: no picture of this video")


def _draw_moves(query: Query, matches: tuple[MatchRow, ...], shown: MatchRow) -> None:
    place = [row.video_id for row in matches].index(shown.video_id)
    for name, icon, key, other in (
        ("Previous", "chevron_left", "Left", place - 1),
        ("Next", "chevron_right", "Right", place + 1),
    ):
        there = 0 <= other < len(matches)
        st.button(
            name, icon=f":material/{icon}:", shortcut=key, disabled=not there, on_click=review,
            args=(query.id, matches[other].video_id if there else ""),
        )  # fmt: skip
    st.button(
        "Play", icon=":material/play_arrow:", shortcut="P", on_click=_play, args=(query.id, shown.video_id),
        key="play-both", help="Plays the matched part of both videos; once more shows their pictures again.",
    )  # fmt: skip
    st.button(
        "Compare", icon=":material/compare:", shortcut="Enter", on_click=go_to,
        args=(query.id, shown.video_id), help="Both videos in step, frame by frame.",
    )  # fmt: skip


def _next(matches: tuple[MatchRow, ...], after: int) -> MatchRow | None:
    """The first match without a verdict, from ``after`` on and then from the beginning."""
    return next((row for row in (*matches[after:], *matches[:after]) if row.label is None), None)


def _judge(query: Query, match: MatchRow, verdict: Verdict) -> None:
    """Keep a verdict and move on to the next match without one."""
    if not keep_verdict(query.id, (match.video_id,), verdict):
        return
    st.session_state[f"{_UNDONE}-{query.id}"].append((match.video_id, match.label))
    matches = query.answer.matches if query.answer else ()
    place = [row.video_id for row in matches].index(match.video_id)
    following = _next(tuple(row for row in matches if row.video_id != match.video_id), place)
    review(query.id, following.video_id if following else "")


def _undo(query: Query) -> None:
    video_id, former = st.session_state[f"{_UNDONE}-{query.id}"].pop()
    if keep_verdict(query.id, (video_id,), former):
        review(query.id, video_id)


def _play(query_id: str, video_id: str) -> None:
    """Play the two, or show their pictures again."""
    chosen = (query_id, video_id)
    st.session_state[_PLAYED] = None if st.session_state.get(_PLAYED) == chosen else chosen
