"""What Streamlit's theme cannot say (``.streamlit/config.toml``), in a few lines of CSS; a page's head."""

import streamlit as st

# Dense at a desk, one column on a phone; nothing from outside gets in here.
_CSS = """
<style>
[data-testid="stMainBlockContainer"] {padding: 3.4rem 2rem 3rem; max-width: 1500px;}
[data-testid="stSidebarHeader"] {height: 2.5rem; margin-bottom: 0;}
[data-testid="stSidebarUserContent"] {padding-bottom: 1rem;}
[data-testid="stHeading"] h1 {padding: 0 0 .1rem;}
[data-testid="stMetric"] {gap: 0;}
[data-testid="stMetricLabel"] {opacity: .75;}
[data-testid="stVerticalBlock"] {gap: .75rem;}
[data-testid="stSidebarNavLink"]:focus-visible, [role="tab"]:focus-visible, summary:focus-visible {
  outline: 2px solid currentColor !important; outline-offset: -2px !important;
}
[data-testid="stBaseButton-primary"]:enabled {background: #235fae; border-color: #235fae;}
[data-testid="stBaseButton-primary"]:enabled p {color: #fff;}
[data-testid="stCaptionContainer"] code {color: inherit; background: none; padding: 0;}
[data-testid="stText"] {overflow-wrap: anywhere; white-space: pre-wrap;}
.st-key-cards {display: grid; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); gap: .8rem;}
.st-key-cards > * {width: auto; min-width: 0; max-width: none;}
.st-key-cards [data-testid="stImage"] img {aspect-ratio: 16 / 10; object-fit: cover; width: 100%;}
@media (max-width: 640px) {
  .st-key-asked {flex-direction: column; align-items: stretch;}
  [data-testid="stMainBlockContainer"] {padding: 3.4rem .9rem 3rem;}
}
</style>
"""


def apply_look() -> None:
    """Give the page the dashboard's spacing."""
    st.html(_CSS)


def page_head(title: str, caption: str) -> None:
    """Draw the title of a page and one line that says what it is for."""
    st.title(title, anchor=False)
    st.caption(caption)
