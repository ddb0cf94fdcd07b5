"""The form that asks: which video, how much looking closer, how sure."""

from typing import cast, get_args

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboards.data.service import service, stored_videos
from dashboards.formats import clock, plain, share, short_name
from dashboards.pages.query.address import go_to
from dashboards.states import problems_shown, show_empty
from dashboards.widgets.pictures import video_pictures
from dns_apps.service.schemas import FineName, Query, QueryOptions, StoredExcerpt, TimeRange, VideoRow
from dns_core.errors import InputError

_UPLOAD, _STORED = "Upload a video", "Pick a video of the index"
_SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
_MILLISECONDS = (10, 25, 50, 100, 250, 500, 1000, 2500)
_WAIT_S = 3.0
_LISTED = 50
_FINE_NAMES = {"fine_binary": "binary (small, fast)", "fine_attention": "attention (large, exact)"}


def draw_form() -> None:
    """Draw the form; open a query that was asked in the address, and run the page again."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        kind = st.segmented_control("Video", [_UPLOAD, _STORED], default=_UPLOAD, required=True, key="kind")
        upload = stretch = None
        part = TimeRange()
        if kind == _STORED:
            stretch = _stored_video()
        else:
            upload = st.file_uploader(
                "A video file",
                key="upload",
                help="Any format that FFmpeg decodes, or a picture; the sound does not matter.",
            )
            part = _part()
    with right:
        options = _options()
        ready = stretch is not None or upload is not None
        asked = st.button(
            "Search",
            type="primary",
            icon=":material/search:",
            disabled=not ready,
            key="search",
            width="stretch",
        )
    if asked:
        with problems_shown("search"), st.spinner("Searching …"):
            go_to(_asked(upload, stretch or part, options).id)
            st.rerun()


def _asked(upload: UploadedFile | None, part: TimeRange, options: QueryOptions) -> Query:
    if isinstance(part, StoredExcerpt):
        return service().query_video(part, options, wait_s=_WAIT_S)
    if upload is not None:
        return service().query_file(upload, options, name=upload.name, part=part, wait_s=_WAIT_S)
    raise InputError("expected a video to search with, found none")


def _part() -> TimeRange:
    """The part of an upload that is searched with; how long the file is, only the service will know."""
    with st.expander("Only a part of it"), st.container(horizontal=True):
        start_s = st.number_input("From second", 0.0, 1e6, 0.0, 1.0, key="part-start")
        stop_s = st.number_input("To second", 0.0, 1e6, None, 1.0, key="part-stop", placeholder="the end")
        if stop_s is not None and stop_s <= start_s:
            st.caption(":material/warning: It ends before it begins: the video is taken to its end.")
            stop_s = None
    return TimeRange(start_s=start_s, stop_s=stop_s)


def _options() -> QueryOptions:
    by_time = st.segmented_control(
        "Look closer at", ["a share of the archive", "as much as time allows"], required=True,
        default="a share of the archive", key="budget-kind",
        help="The coarse network ranks everything; the fine one looks closer at the pairs that need it.",
    ) == "as much as time allows"  # fmt: skip
    if by_time:
        chosen = st.select_slider("Time", _MILLISECONDS, 250, lambda ms: f"{ms} ms", key="budget-ms")
        budget = f"{chosen}ms"
    else:
        budget = str(st.select_slider("Share", _SHARES, 0.3, share, key="budget-share"))
    threshold = st.slider(
        "Show matches from a score of", 0.0, 1.0, 0.2, 0.05, key="threshold",
        help="Scores are probabilities of a match; 1 is certain.",
    )  # fmt: skip
    with st.expander("More"):
        fine = st.selectbox(
            "Fine network", get_args(FineName), format_func=_FINE_NAMES.__getitem__, key="fine"
        )
        top_k = st.select_slider("Matches at most", (5, 10, 20, 50, 100), 20, key="top-k")
    return QueryOptions(budget=budget, fine=cast("FineName", fine), top_k=int(top_k), threshold=threshold)


def _stored_video() -> StoredExcerpt | None:
    search = st.text_input("Find by name", key="stored-search", placeholder="part of a name").strip()
    with problems_shown("stored videos"):
        found = stored_videos(search, limit=_LISTED)
        if not found.items:
            show_empty("No video has that in its name", "Try a shorter part of the name.")
            return None
        rest = (
            f" (the first {_LISTED} of {found.total}; type more of the name)" if found.total > _LISTED else ""
        )
        row = st.selectbox(
            f"Video{rest}", found.items, key="stored-video",
            format_func=lambda video: f"{short_name(video.id, 60)} · {clock(video.duration_s)}",
        )  # fmt: skip
        return _excerpt(row)
    return None


def _excerpt(row: VideoRow) -> StoredExcerpt:
    if row.duration_s < 1:
        return StoredExcerpt(video_id=row.id)
    end = round(row.duration_s, 1)
    start_s, stop_s = st.slider(
        "Excerpt, in seconds", 0.0, end, (0.0, end), 0.5, key=f"excerpt-{row.id}",
        help="The whole video, or the part between the two.",
    )  # fmt: skip
    if stop_s - start_s < 0.5:
        st.caption(":material/info: Less than half a second: the whole video is taken.")
        start_s, stop_s = 0.0, end
    last = max(start_s, stop_s - 0.5)
    pictures = video_pictures(((row.id, start_s), (row.id, (start_s + last) / 2), (row.id, last)))
    with st.container(horizontal=True):
        for picture, at_s in zip(pictures, (start_s, (start_s + last) / 2, last), strict=True):
            if picture:
                st.image(picture, caption=clock(at_s), width=150, alt=f"{row.id} at {clock(at_s)}")
    if not row.playable:
        st.caption(f":material/warning: The file of {plain(row.id)} was not found, so it cannot be shown.")
    return StoredExcerpt(video_id=row.id, start_s=start_s, stop_s=None if stop_s >= end else stop_s)
