"""The matched part of a query and of a match, playing side by side."""

import streamlit as st

from dashboards.data.service import service
from dashboards.formats import plain, short_name
from dashboards.pages.query.cards import draw_name, query_span
from dashboards.panels.matches import best_segment
from dashboards.panels.pair import Clip
from dashboards.states import problems_shown
from dashboards.widgets.pictures import video_durations
from dns_apps.service.schemas import MatchRow, Query

_LONGEST_S = 20.0


def draw_clips(query: Query, match: MatchRow) -> None:
    """Play the best stretch of both, or their beginnings where none is known, at most twenty seconds."""
    left, right = st.columns(2, gap="medium")
    with problems_shown("play"), st.spinner("Fetching both …"):
        asked, found = _spans(query, match)
        with left:
            st.caption(f"Asked: {plain(short_name(query.name, 60))}")
            _play(query_clip(query.id, asked), f"the query {query.name}")
        with right:
            draw_name(match, longest=60)
            _play(video_clip(match.video_id, found), f"the match {match.video_id}")


def _play(mp4: bytes, alt: str) -> None:
    # What it shows tells it from the other one: of the same file, both have the same content.
    st.video(mp4, autoplay=True, muted=True, loop=True, alt=alt)


@st.cache_data(ttl=600, max_entries=20, show_spinner=False)
def query_clip(query_id: str, span: Clip) -> bytes:
    """A stretch of a query's video as a browser plays it."""
    return service().query_preview(query_id, span.start_s, span.stop_s)


@st.cache_data(ttl=600, max_entries=20, show_spinner=False)
def video_clip(video_id: str, span: Clip) -> bytes:
    """A stretch of a stored video as a browser plays it."""
    return service().preview(video_id, span.start_s, span.stop_s)


def _spans(query: Query, match: MatchRow) -> tuple[Clip, Clip]:
    if best := best_segment(match.segments):
        ends = (best.query_start_s, best.query_end_s), (best.target_start_s, best.target_end_s)
    else:
        ends = query_span(query), (0.0, video_durations((match.video_id,))[0] or _LONGEST_S)
    asked, found = (Clip(max(0.0, start), min(stop, start + _LONGEST_S)) for start, stop in ends)
    return asked, found
