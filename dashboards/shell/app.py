"""The entry point that Streamlit runs: what all pages have in common."""

import streamlit as st

from dashboards.look import apply_look
from dashboards.navigation import pages
from dashboards.shell.sidebar import draw_sidebar


def main() -> None:
    """Draw the page that the address names, between navigation and look."""
    st.set_page_config(page_title="Distill-and-Select", page_icon=":material/frame_inspect:", layout="wide")
    apply_look()
    page = st.navigation(pages())
    draw_sidebar()
    page.run()


main()
