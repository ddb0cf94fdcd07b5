"""The entry point that Streamlit runs: what all pages have in common."""

from pathlib import Path

import streamlit as st

from dashboards.navigation import pages
from dashboards.shell.login import admitted
from dashboards.shell.sidebar import draw_sidebar
from dashboards.theme import apply_look

_ICON = Path(__file__).with_name("icon.png")  # a name of a symbol would be fetched from Google


def main() -> None:
    """Draw the page that the address names, between navigation and look."""
    st.set_page_config(page_title="Distill-and-Select", page_icon=str(_ICON), layout="wide")
    apply_look()
    if not admitted():
        return
    page = st.navigation(pages())
    draw_sidebar()
    page.run()


main()
