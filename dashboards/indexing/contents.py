"""The videos of the index, a page at a time, and taking them out."""

import streamlit as st

from dashboards.formats import clock, count, plain, short_name
from dashboards.indexing.paging import draw_pager, page_offset
from dashboards.sources import service, stored_videos
from dashboards.states import failed_text, show_empty
from dns_apps.service.client_errors import ServiceError

_LISTED = 50


def draw_contents() -> None:
    """The videos whose id has the searched text in it, with a way to remove those that are ticked."""
    search = st.text_input("Find by name", key="index-search", placeholder="part of a name").strip()
    offset = page_offset("contents", search)
    page = stored_videos(search, limit=_LISTED, offset=offset)
    if not page.items:
        show_empty("No video has that in its name", "Try a shorter part of the name.")
        return
    ticked = st.dataframe(
        [
            {"video": v.id, "duration": clock(v.duration_s), "frames": v.n_frames, "file found": v.playable}
            for v in page.items
        ],
        hide_index=True, key=f"videos-{search}-{offset}", on_select="rerun", selection_mode="multi-row",
        height=420,
    )["selection"]["rows"]  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_pager("contents", page)
        if st.button(
            f"Remove {len(ticked)} from the index" if ticked else "Remove from the index",
            icon=":material/delete:", disabled=not ticked, key="remove",
        ):  # fmt: skip
            _confirm_removal([page.items[row].id for row in ticked])


@st.dialog("Remove from the index")
def _confirm_removal(video_ids: list[str]) -> None:
    """Ask before anything is taken out; the files themselves stay."""
    many = f"{count(len(video_ids))} videos" if len(video_ids) > 1 else "this video"
    st.markdown(f"Queries will no longer find {many}. The files stay; they can be added again.")
    st.text("\n".join(short_name(video_id, 60) for video_id in video_ids[:10]))
    if len(video_ids) > 10:
        st.caption(f"and {count(len(video_ids) - 10)} more")
    if st.button("Remove", type="primary", icon=":material/delete:", key="remove-sure"):
        _remove(video_ids)


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
