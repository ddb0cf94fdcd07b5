"""One match: both videos in step, the heat map of their frames, and the verdict."""

import streamlit as st

from dashboards.data.service import service
from dashboards.formats import clock, share
from dashboards.pages.query.address import go_to
from dashboards.pages.query.cards import draw_name, query_span
from dashboards.pages.query.clips import query_clip, video_clip
from dashboards.pages.query.labels import draw_label
from dashboards.pages.query.pair_view import LoadedClip, draw_pair
from dashboards.panels.matches import matched_moment
from dashboards.panels.pair import Clip, clip_around
from dashboards.states import problems_shown, show_empty
from dashboards.widgets.pictures import video_durations
from dns_apps.service.schemas import Comparison, MatchRow, Query, QueryAnswer

_LONGEST_CLIP_S = 60.0
_MAP_SIDE = 256


def draw_match(query: Query, answer: QueryAnswer, video_id: str) -> None:
    """Draw the match with a video, or say that it is no longer in the answer."""
    match = next((row for row in answer.matches if row.video_id == video_id), None)
    if match is None:
        st.button("Back to the matches", icon=":material/arrow_back:", on_click=go_to, args=(query.id,))
        show_empty("This video is not among the matches", "Go back and choose another.")
        return
    _draw_head(query, answer, match)
    with problems_shown("match"):
        with st.spinner("Comparing the two, frame by frame …"):
            found = comparison(query.id, video_id)
        _draw_pair(query, match, found)
        st.caption(
            "Compared on its own, without the background that a search measures it against, the pair scores "
            f"{found.score:.3f} (raw {found.raw_score:+.3f}); {share(_matched_share(query, match))} of the "
            "query is matched."
        )


@st.cache_data(ttl=600, max_entries=50, show_spinner=False)
def comparison(query_id: str, video_id: str) -> Comparison:
    """The two, frame by frame; kept for ten minutes."""
    return service().match(query_id, video_id, max_side=_MAP_SIDE)


def _draw_head(query: Query, answer: QueryAnswer, match: MatchRow) -> None:
    ids = [row.video_id for row in answer.matches]
    place = ids.index(match.video_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Matches", icon=":material/arrow_back:", on_click=go_to, args=(query.id,), key="back",
            help="Back to all matches",
        )  # fmt: skip
        for name, icon, other in (
            ("Previous", "chevron_left", place - 1),
            ("Next", "chevron_right", place + 1),
        ):
            there = 0 <= other < len(ids)
            st.button(
                name, icon=f":material/{icon}:", disabled=not there, key=name, on_click=go_to,
                args=(query.id, ids[other] if there else ""),
            )  # fmt: skip
        draw_label(query.id, match, where="match")
    draw_name(match, longest=90)


def _draw_pair(query: Query, match: MatchRow, found: Comparison) -> None:
    """Videos and map; a click outside of what is loaded loads what is around it."""
    if not found.query_times_s or not found.target_times_s:
        show_empty("One of the two has no frame to compare", "Look at the files themselves.")
        return
    key = f"moment-{query.id}-{match.video_id}"
    moment = st.session_state.get(key) or matched_moment(match)
    start, stop = query_span(query)
    left_span = _within(clip_around(moment[0] - start, stop - start, _LONGEST_CLIP_S), start)
    right_span = clip_around(moment[1], video_durations((match.video_id,))[0], _LONGEST_CLIP_S)
    with st.spinner(f"Fetching {clock(moment[0])} and {clock(moment[1])} …"):
        left = LoadedClip(query.name, left_span, query_clip(query.id, left_span))
        right = LoadedClip(match.video_id, right_span, video_clip(match.video_id, right_span))
    asked = draw_pair(left, right, found, moment)
    if asked is not None and asked != moment:
        st.session_state[key] = asked
        st.rerun()


def _within(clip: Clip, offset_s: float) -> Clip:
    return Clip(clip.start_s + offset_s, clip.stop_s + offset_s)


def _matched_share(query: Query, match: MatchRow) -> float:
    length = sum(s.query_end_s - s.query_start_s for s in match.segments)
    return min(1.0, length / query.duration_s) if query.duration_s else 0.0
