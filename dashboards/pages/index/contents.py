"""The videos of the index, a page at a time, and taking them out."""

from functools import partial

import streamlit as st

from dashboards.data.service import service, stored_videos
from dashboards.formats import clock, count, counted, plain, short_name
from dashboards.states import failed_text, show_empty
from dashboards.widgets.pager import draw_pager, page_offset
from dns_apps.service.client_errors import ServiceError
from dns_apps.service.schemas import VideoRow

_LISTED = 50


def draw_contents() -> None:
    """Draw the videos whose id has the searched text in it, with a way to remove some of them."""
    search = st.text_input("Find by name", key="index-search", placeholder="part of a name").strip()
    offset = page_offset("contents", search)
    page = stored_videos(search, limit=_LISTED, offset=offset)
    if not page.items:
        show_empty("No video has that in its name", "Try a shorter part of the name.")
        return
    with st.container(height=420, border=False):
        # A plain table: the grid of `st.dataframe` costs a browser's first visit half a second.
        st.table([_row(video) for video in page.items], hide_index=True, border="horizontal")
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_pager("contents", page)
        if st.button("Remove from the index …", icon=":material/delete:", key="remove"):
            st.dialog("Remove from the index")(draw_removal)([video.id for video in page.items])


def _row(video: VideoRow) -> dict[str, str]:
    return {
        "video": plain(video.id),
        "duration": clock(video.duration_s),
        "frames": count(video.n_frames),
        "file": "found" if video.playable else "not found",
    }


def draw_removal(video_ids: list[str]) -> None:
    """Which of the videos are taken out, asked before anything is; the files themselves stay."""
    chosen = st.multiselect(
        "Videos on this page", video_ids, key="removed", format_func=partial(short_name, longest=60)
    )
    st.caption("Queries will no longer find them. The files stay; they can be added again.")
    label = f"Remove {counted(len(chosen), 'video')}" if chosen else "Remove"
    if st.button(label, type="primary", icon=":material/delete:", key="remove-sure", disabled=not chosen):
        _remove(chosen)


def _remove(video_ids: list[str]) -> None:
    bar = st.progress(0.0, "Removing …")
    for done, video_id in enumerate(video_ids):
        try:
            service().remove_video(video_id)
        except ServiceError as error:
            st.error(f"{plain(short_name(video_id))}: {failed_text(error)}")
            return
        bar.progress((done + 1) / len(video_ids), f"Removed {done + 1} of {len(video_ids)}")
    st.cache_data.clear()
    st.toast(f"{count(len(video_ids))} removed", icon=":material/check:")
    st.rerun()
