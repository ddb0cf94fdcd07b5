"""How a search is asked: how much is looked at closer, and from which score on matches are shown."""

from typing import cast, get_args

import streamlit as st

from dashboards.formats import share
from dns_apps.service.schemas import FineName, QueryOptions

WAIT_S = 3.0
"""For an answer, before its progress is shown."""
DEFAULTS = QueryOptions(budget="0.3", top_k=20, threshold=0.2)
_SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
_MILLISECONDS = (10, 25, 50, 100, 250, 500, 1000, 2500)
_MOST = (5, 10, 20, 50, 100)
_FINE_NAMES = {"fine_binary": "binary (small, fast)", "fine_attention": "attention (large, exact)"}
_BY_SHARE, _BY_TIME = "a share of the archive", "as much as time allows"


def draw_options(given: QueryOptions = DEFAULTS, where: str = "") -> QueryOptions:
    """The options that are chosen.

    Args:
        given: what is chosen at first, or what is nearest to it.
        where: tells two forms on one page apart.
    """
    prefix = f"{where}-" if where else ""
    kind = st.segmented_control(
        "Look closer at", [_BY_SHARE, _BY_TIME], required=True, key=f"{prefix}budget-kind",
        default=_BY_TIME if given.budget.strip().endswith("ms") else _BY_SHARE,
        help="The coarse network ranks everything; the fine one looks closer at the pairs that need it.",
    )  # fmt: skip
    budget = _time(given, prefix) if kind == _BY_TIME else _share(given, prefix)
    threshold = st.slider(
        "Show matches from a score of", 0.0, 1.0, given.threshold, 0.05, key=f"{prefix}threshold",
        help="Scores are probabilities of a match; 1 is certain.",
    )  # fmt: skip
    with st.expander("More"):
        names = get_args(FineName)
        fine = st.selectbox(
            "Fine network", names, names.index(given.fine), format_func=_FINE_NAMES.__getitem__,
            key=f"{prefix}fine",
        )  # fmt: skip
        top_k = st.select_slider("Matches at most", _MOST, _near(given.top_k, _MOST), key=f"{prefix}top-k")
    return QueryOptions(budget=budget, fine=cast("FineName", fine), top_k=int(top_k), threshold=threshold)


def _time(given: QueryOptions, prefix: str) -> str:
    text = given.budget.strip()
    ms = _near(float(text.removesuffix("ms")), _MILLISECONDS) if text.endswith("ms") else 250
    return f"{st.select_slider('Time', _MILLISECONDS, ms, lambda ms: f'{ms} ms', key=f'{prefix}budget-ms')}ms"


def _share(given: QueryOptions, prefix: str) -> str:
    text = given.budget.strip()
    part = 0.3 if text.endswith("ms") else _near(float(text), _SHARES)
    return str(st.select_slider("Share", _SHARES, part, share, key=f"{prefix}budget-share"))


def _near(wanted: float, offered: tuple[float, ...]) -> float:
    return min(offered, key=lambda value: abs(value - wanted))
