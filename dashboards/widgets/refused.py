"""Pictures of videos in quarantine, of those that have any."""

from collections.abc import Sequence

import streamlit as st

from dashboards.formats import plain, short_name
from dashboards.widgets.pictures import video_pictures

_SHOWN = 8
_WIDTH_PX = 160


def draw_pictures(video_ids: Sequence[str]) -> None:
    """Draw the first picture of each of the first videos, and say for how many there is none."""
    shown = video_ids[:_SHOWN]
    pictures = video_pictures(tuple((video_id, 0.0) for video_id in shown))
    with st.container(horizontal=True):
        for video_id, picture in zip(shown, pictures, strict=True):
            if picture:
                with st.container(width=_WIDTH_PX, gap="xsmall"):
                    st.image(picture, width=_WIDTH_PX, alt=f"the first picture of {video_id}")
                    st.caption(plain(short_name(video_id, 40)))
    n_without = pictures.count(None)
    if n_without:
        st.caption(f"{n_without} of the first {len(shown)} have no picture that can be shown.")
