"""Which pages there are, in the order in which they are listed."""

from dataclasses import dataclass
from functools import partial
from importlib import import_module

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboards.states import problems_shown


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page of the navigation.

    Attributes:
        name: of its module in `dashboards.pages`, and of its address.
        title: in the navigation and of the browser's tab.
        icon: a name of Google's Material Symbols, which Streamlit ships.
    """

    name: str
    title: str
    icon: str


PAGES: tuple[PageEntry, ...] = (
    PageEntry("home", "Home", "home"),
    PageEntry("query", "Query", "search"),
    PageEntry("tradeoffs", "Trade-offs", "query_stats"),
    PageEntry("flows", "Flows", "play_circle"),
    PageEntry("models", "Models", "model_training"),
    PageEntry("data", "Data", "video_library"),
    PageEntry("index", "Index", "database"),
)


def pages() -> list[StreamlitPage]:
    """The pages as Streamlit wants them, the first one the default; a module is loaded when it is opened."""
    return [
        st.Page(
            partial(shown, entry),
            title=entry.title,
            icon=f":material/{entry.icon}:",
            url_path=entry.name,
            default=entry is PAGES[0],
        )
        for entry in PAGES
    ]


def shown(entry: PageEntry) -> None:
    """Draw the page, or its error in its place."""
    with problems_shown(entry.title):
        import_module(f"dashboards.pages.{entry.name}").render()
