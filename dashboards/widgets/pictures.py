"""What the cards of several videos show, asked for at once: pictures and durations."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import streamlit as st

from dashboards.data.service import service
from dns_apps.service.client_errors import ServiceError

T = TypeVar("T")

_AT_ONCE = 4
_WIDTH_PX = 360
_KEPT_S = 120


@st.cache_data(ttl=_KEPT_S, max_entries=200, show_spinner=False)
def video_pictures(moments: tuple[tuple[str, float], ...]) -> list[bytes | None]:
    """A JPEG for each (video, second) of stored videos; None where the service has none."""
    client = service()
    return _all([partial(client.thumbnail, video, at_s, width_px=_WIDTH_PX) for video, at_s in moments])


@st.cache_data(ttl=_KEPT_S, max_entries=200, show_spinner=False)
def query_picture(query_id: str, at_s: float) -> bytes | None:
    """A JPEG of a query's video; None where the service has none."""
    return _all([partial(service().query_thumbnail, query_id, at_s, width_px=_WIDTH_PX)])[0]


@st.cache_data(ttl=_KEPT_S, max_entries=200, show_spinner=False)
def video_durations(video_ids: tuple[str, ...]) -> list[float]:
    """Seconds that each stored video lasts; 0 where the service does not know it."""
    client = service()
    found = _all([partial(client.video, video_id) for video_id in video_ids])
    return [video.duration_s if video else 0.0 for video in found]


def _all(askings: Sequence[Callable[[], T]]) -> list[T | None]:
    def one(ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except ServiceError:
            return None  # a card without its picture is still a card

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(one, askings))
