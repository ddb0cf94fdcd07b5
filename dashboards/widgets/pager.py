"""A long list, one page at a time; the service is asked for that page alone."""

from typing import Any

import streamlit as st

from dashboards.formats import count
from dns_apps.service.schemas import Page


def page_offset(name: str, search: str) -> int:
    """Where the page of a list begins that is shown; the beginning again when the search changes.

    Args:
        name: of the list.
        search: what it is narrowed by.
    """
    seen = st.session_state.setdefault(f"page-{name}", {"search": search, "offset": 0})
    if seen["search"] != search:
        seen.update(search=search, offset=0)
    return int(seen["offset"])


def draw_pager(name: str, page: Page[Any]) -> None:
    """Where in the list this is, and the ways on and back."""
    last = page.offset + len(page.items)
    st.caption(f"{count(page.offset + 1)} to {count(last)} of {count(page.total)}", width="content")
    steps = (("Earlier", "chevron_left", page.offset - page.limit), ("Later", "chevron_right", last))
    for label, icon, offset in steps:
        st.button(
            label, icon=f":material/{icon}:", key=f"{label}-{name}", disabled=not 0 <= offset < page.total,
            on_click=_turn, args=(name, offset),
        )  # fmt: skip


def _turn(name: str, offset: int) -> None:
    st.session_state[f"page-{name}"]["offset"] = offset
