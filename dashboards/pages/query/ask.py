"""The form that asks: which video, how much looking closer, how sure."""

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboards.data.service import service, stored_videos
from dashboards.formats import clock, plain, short_name
from dashboards.pages.query.address import go_to, go_to_several
from dashboards.pages.query.options import WAIT_S, draw_options
from dashboards.pages.query.several import ask_several
from dashboards.states import problems_shown, show_empty
from dashboards.widgets.pictures import video_pictures
from dns_apps.service.schemas import Query, QueryOptions, StoredExcerpt, TimeRange, VideoRow
from dns_core.errors import InputError

_UPLOAD, _STORED = "Upload a video", "Pick a video of the index"
_LISTED = 50


def draw_form() -> None:
    """Draw the form; open a query that was asked in the address, and run the page again."""
    _take_from_address()
    left, right = st.columns([3, 2], gap="large")
    with left:
        kind = st.segmented_control("Video", [_UPLOAD, _STORED], default=_UPLOAD, required=True, key="kind")
        uploads: list[UploadedFile] = []
        stretch = None
        part = TimeRange()
        if kind == _STORED:
            stretch = _stored_video()
        else:
            uploads = _uploads()
            part = _part() if len(uploads) < 2 else part
    with right:
        options = draw_options()
        ready = stretch is not None or bool(uploads)
        asked = st.button(
            "Search" if len(uploads) < 2 else f"Search with {len(uploads)} videos",
            type="primary",
            icon=":material/search:",
            disabled=not ready,
            key="search",
            width="stretch",
        )
    if asked and len(uploads) > 1:
        ask_several(uploads, options)
        go_to_several(())
        st.rerun()
    elif asked:
        with problems_shown("search"), st.spinner("Searching …"):
            go_to(_asked(next(iter(uploads), None), stretch or part, options).id)
            st.rerun()


def _take_from_address() -> None:
    """Choose the video that another page sent somebody here to search with."""
    if wanted := st.query_params.pop("video", ""):
        st.session_state.update({"kind": _STORED, "stored-search": wanted})


def _uploads() -> list[UploadedFile]:
    """The files that are searched with: one, some, or those of a folder."""
    folder = st.toggle("A whole folder", key="upload-folder")
    return st.file_uploader(
        "Video files", key="upload-several" if folder else "upload",
        accept_multiple_files="directory" if folder else True,
        help="Any format that FFmpeg decodes, or a picture; the sound does not matter. Each file is a query.",
    )  # fmt: skip


def _asked(upload: UploadedFile | None, part: TimeRange, options: QueryOptions) -> Query:
    if isinstance(part, StoredExcerpt):
        return service().query_video(part, options, wait_s=WAIT_S)
    if upload is not None:
        return service().query_file(upload, options, name=upload.name, part=part, wait_s=WAIT_S)
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
