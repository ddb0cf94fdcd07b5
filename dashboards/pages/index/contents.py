"""The videos of the index as pictures, a page at a time: filters, searching with one, and taking some out."""

from functools import partial

import streamlit as st

from dashboards.data.service import service
from dashboards.formats import clock, count, counted, plain, share, short_name, size
from dashboards.pages.index.filters import draw_filters
from dashboards.states import failed_text, show_empty
from dashboards.widgets.page_links import draw_page_link
from dashboards.widgets.pager import draw_pager, page_offset
from dashboards.widgets.pictures import video_pictures
from dns_apps.service.client_errors import ServiceError
from dns_apps.service.schemas import IndexState, Page, VideoRow

_LISTED = 24


def draw_contents(state: IndexState) -> None:
    """Draw the videos that the filters leave, and what can be done with those that are selected.

    Args:
        state: of the index, which knows its versions.
    """
    asked = draw_filters(state)
    offset = page_offset("contents", asked.model_dump_json())
    page = service().listed_videos(asked.model_copy(update={"limit": _LISTED, "offset": offset}))
    if not page.items:
        show_empty("No video passes these filters", "Try a shorter part of the name, or clear a filter.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_pager("contents", page)
        _draw_selection(page)
    pictures = video_pictures(tuple((row.id, row.duration_s / 2) for row in page.items))
    with st.container(horizontal=True, key="cards"):
        for number, (row, picture) in enumerate(zip(page.items, pictures, strict=True)):
            _draw_card(number, row, picture)


def _draw_selection(page: Page[VideoRow]) -> None:
    keys = [_key(row.id) for row in page.items]
    chosen = [row.id for row, key in zip(page.items, keys, strict=True) if st.session_state.get(key)]
    more = len(chosen) < len(keys)
    st.button(
        "Select all" if more else "Select none", key="select-all", icon=":material/select_all:",
        on_click=_select, args=(keys, more),
    )  # fmt: skip
    label = f"Remove {count(len(chosen))} from the index …" if chosen else "Remove from the index …"
    if st.button(label, icon=":material/delete:", key="remove"):
        listed = [row.id for row in page.items]
        st.dialog("Remove from the index")(draw_removal)(listed, tuple(chosen))


def _draw_card(number: int, row: VideoRow, picture: bytes | None) -> None:
    with st.container(border=True, gap="xsmall", key=f"video-{number}"):
        if picture:
            st.image(picture, width="stretch", alt=f"the middle of {row.id}")
        else:
            st.caption(":material/hide_image: no picture: its file was not found")
        shown = short_name(row.id, 32)
        st.markdown(plain(shown), help=None if shown == row.id else plain(row.id))
        st.caption(_facts(row))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.checkbox(f"Select {plain(shown)}", key=_key(row.id), label_visibility="collapsed")
            draw_page_link("query", "Search with this", video=row.id)
            st.button(
                "Alike", key=f"alike-{number}", icon=":material/join_inner:", on_click=_show_alike,
                args=(row.id,), help="The videos of the index that are most like this one, first.",
            )  # fmt: skip


def _facts(row: VideoRow) -> str:
    parts = [clock(row.duration_s)]
    parts += [size(row.n_bytes)] if row.n_bytes else []
    parts += [f"{row.width_px}\u00d7{row.height_px}"] if row.height_px else []
    parts += [f"since v{row.version}"] if row.version else []
    parts += [f"{share(row.similarity)} alike"] if row.similarity is not None else []
    return " · ".join(parts)


def _key(video_id: str) -> str:
    return f"chosen-{video_id}"


def _select(keys: list[str], chosen: bool) -> None:
    st.session_state.update(dict.fromkeys(keys, chosen))


def _show_alike(video_id: str) -> None:
    st.session_state["index-alike"] = video_id


def draw_removal(video_ids: list[str], chosen: tuple[str, ...] = ()) -> None:
    """Which of the videos are taken out, asked before anything is; the files themselves stay.

    Args:
        video_ids: that are offered.
        chosen: those that are named at first.
    """
    named = st.multiselect(
        "Videos on this page", video_ids, list(chosen), key="removed",
        format_func=partial(short_name, longest=60),
    )  # fmt: skip
    st.caption("Queries will no longer find them. The files stay; they can be added again.")
    label = f"Remove {counted(len(named), 'video')}" if named else "Remove"
    if st.button(label, type="primary", icon=":material/delete:", key="remove-sure", disabled=not named):
        _remove(named)


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
