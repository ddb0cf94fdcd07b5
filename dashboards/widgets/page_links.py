"""Links from one page to another."""

import streamlit as st

from dashboards.navigation import PAGES, pages


def draw_page_link(name: str, label: str, **address: str) -> None:
    """Draw a link to a page.

    Args:
        name: of the page, as in `PAGES`.
        label: of the link, as Markdown.
        address: what the page is asked to show.
    """
    entry = next(entry for entry in PAGES if entry.name == name)
    page = pages()[PAGES.index(entry)]
    st.page_link(page, label=label, icon=f":material/{entry.icon}:", query_params=address)
