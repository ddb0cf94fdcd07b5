"""Which videos of the index are shown: by name, length, size, version and likeness."""

import streamlit as st

from dashboards.formats import plain, short_name
from dns_apps.service.schemas import IndexState, Order, VideosAsked

_ORDERS: dict[Order, str] = {
    "name": "Name",
    "newest": "Newest first",
    "longest": "Longest first",
    "largest": "Largest first",
}
_LENGTHS: dict[str, tuple[float, float | None]] = {
    "any length": (0.0, None),
    "under 10 s": (0.0, 10.0),
    "10 s to 1 min": (10.0, 60.0),
    "1 to 10 min": (60.0, 600.0),
    "over 10 min": (600.0, None),
}
_HEIGHTS = {0: "any picture", 480: "480 lines or more", 720: "720 or more", 1080: "1080 or more"}
_MIB = 1 << 20
_BYTES = {0: "any size", _MIB: "1 MiB or more", 100 * _MIB: "100 MiB or more", 1024 * _MIB: "1 GiB or more"}


def draw_filters(state: IndexState) -> VideosAsked:
    """What is asked for, from the widgets.

    Args:
        state: of the index, whose versions are offered.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", key="index-filters"):
        search = st.text_input("Find by name", key="index-search", placeholder="part of a name", width=220)
        length = st.selectbox("Length", list(_LENGTHS), key="index-length", width=150)
        n_bytes = st.selectbox(
            "File", list(_BYTES), format_func=_BYTES.__getitem__, key="index-bytes", width=160
        )
        height = st.selectbox(
            "Picture", list(_HEIGHTS), format_func=_HEIGHTS.__getitem__, key="index-height", width=180
        )
        versions = [0, *range(1, 1 + max((row.version for row in state.versions), default=0))]
        version = st.selectbox(
            "Added in", versions, format_func=_version, key="index-version", width=150,
            help="The version of the index that wrote the video; compacting writes all anew.",
        )  # fmt: skip
        order = st.selectbox(
            "Order", list(_ORDERS), format_func=_ORDERS.__getitem__, key="index-order", width=150
        )
    shortest_s, longest_s = _LENGTHS[length]
    return VideosAsked(
        search=search.strip(), shortest_s=shortest_s, longest_s=longest_s, smallest_px=height,
        smallest_bytes=n_bytes, version=version, similar_to=_alike(), order=order,
    )  # fmt: skip


def _alike() -> str:
    """The video that the others are compared with; draws how to leave that."""
    video_id = str(st.session_state.get("index-alike", ""))
    if video_id:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"The most like **{plain(short_name(video_id, 60))}** first", width="content")
            st.button("All in order", icon=":material/close:", key="not-alike", on_click=_forget)
    return video_id


def _forget() -> None:
    st.session_state["index-alike"] = ""


def _version(number: int) -> str:
    return f"version {number}" if number else "any version"
