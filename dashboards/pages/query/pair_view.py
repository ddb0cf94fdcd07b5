"""The component that plays two videos in step over the heat map of their frames."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import streamlit as st
from streamlit import runtime

from dashboards.panels.pair import Clip, heat_map
from dns_apps.service.schemas import Comparison


@dataclass(frozen=True, slots=True)
class LoadedClip:
    """A stretch of a video that a browser can play.

    Attributes:
        name: of the video, shown as it is.
        span: where it lies in the video.
        mp4: its content.
    """

    name: str
    span: Clip
    mp4: bytes


def draw_pair(
    query: LoadedClip, target: LoadedClip, comparison: Comparison, moment: tuple[float, float]
) -> tuple[float, float] | None:
    """The moment (query, target) that was asked for and is not loaded; None if all is.

    Args:
        query: the left video.
        target: the right video.
        comparison: of the two.
        moment: seconds of both at which they begin.
    """
    data = {
        "query": _clip(query, "query"),
        "target": _clip(target, "target"),
        "map": heat_map(comparison),
        "moment": {"query": moment[0], "target": moment[1]},
    }
    asked = _component()(data=data, key="pair", on_moment_change=_nothing).moment
    return (float(asked["query"]), float(asked["target"])) if asked else None


@cache
def _component() -> Any:
    folder = files("dashboards") / "components"
    html, css, js = ((folder / f"pair.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("dns_pair", html=html, css=css, js=js)


def _clip(clip: LoadedClip, side: str) -> dict[str, Any]:
    return {
        "name": clip.name,
        "start": clip.span.start_s,
        "stop": clip.span.stop_s,
        "url": _address(clip.mp4, side),
    }


def _address(mp4: bytes, side: str) -> str:
    """Where this session's browser finds the clip; Streamlit forgets it when it is no longer shown."""
    if not runtime.exists():  # a script that runs without a server, in a test
        return ""
    return runtime.get_instance().media_file_mgr.add(mp4, "video/mp4", f"pair-{side}")


def _nothing() -> None:
    """Do nothing: a component reports a trigger only if it has a listener."""
