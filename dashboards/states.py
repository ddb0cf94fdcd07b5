"""How a page says that there is nothing yet, or that something failed, and what to do then.

No page shows a stack trace: an unforeseen error is logged and shown in one sentence.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from dashboards.formats import message
from dns_apps.service.client_errors import (
    NotAllowedError,
    NotFoundError,
    RequestRefusedError,
    ServiceBusyError,
    ServiceFailedError,
    ServiceUnreachableError,
)
from dns_core.errors import DnsError

_log = logging.getLogger("dashboards")


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person is shown of an error.

    Attributes:
        title: what is the matter, in a few words.
        detail: what was expected and found, as the error says it.
        todo: what to do about it, as Markdown.
    """

    title: str
    detail: str
    todo: str


_KNOWN: tuple[tuple[type[DnsError], str, str], ...] = (
    (
        ServiceUnreachableError,
        "The query service does not answer",
        "Start it with `dns serve`, or everything with `dns up`, and try again.",
    ),
    (
        NotAllowedError,
        "The query service does not accept this dashboard's token",
        "Put a token that it knows, with the scope that this asks for, into `DNS_SERVICE_TOKEN` "
        "(or the file `.env`), and start the dashboard again.",
    ),
    (ServiceBusyError, "The query service is busy", "Try again in a moment."),
    (NotFoundError, "That is not there (any more)", "Choose another, or go back to the list."),
    (RequestRefusedError, "The query service refuses that", "Change what the message names, and try again."),
    (
        ServiceFailedError,
        "The query service cannot do that now",
        "`dns status` shows what runs; the log is in `.platform/logs`.",
    ),
)


def advice(error: Exception) -> Advice:
    """Advice for ``error``; details of an unforeseen one go to the log alone."""
    for kind, title, todo in _KNOWN:
        if isinstance(error, kind):
            problem = getattr(error, "problem", None)
            return Advice(title, problem.detail if problem else str(error), todo)
    if isinstance(error, DnsError):
        return Advice("That did not work", str(error), "Change what the message names, and try again.")
    return Advice(
        "Something went wrong in the dashboard",
        type(error).__name__,
        "Try again. If it stays, the log of the dashboard says more (`.platform/logs/dashboard.log`).",
    )


@contextmanager
def problems_shown(what: str) -> Iterator[None]:
    """Context that shows an error of its block in place; the rest of the page is drawn.

    Args:
        what: the block is about, for the log.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - this is where a page's errors end
        if not isinstance(error, DnsError):
            _log.exception("%s", what)
        show_problem(error, key=what)


def show_problem(error: Exception, *, key: str = "") -> None:
    """Show the error, as `advice` words it, with a button that tries again.

    Args:
        error: what happened.
        key: tells two of them on one page apart.
    """
    found = advice(error)
    with st.container(border=True):
        st.markdown(f":material/error: **{found.title}**")
        st.text(found.detail)
        st.markdown(found.todo)
        if st.button("Try again", key=f"again-{key}", icon=":material/refresh:"):
            st.cache_data.clear()
            st.rerun()


def show_empty(title: str, todo: str, icon: str = "inbox") -> None:
    """There is nothing to show, and this is how something comes to be there.

    Args:
        title: what is not there, as Markdown.
        todo: what to do, as Markdown.
        icon: a name of Google's Material Symbols.
    """
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f":material/{icon}: **{title}**", width="content")
        st.markdown(todo, width="content")


def failed_text(error: Exception) -> str:
    """An error in one line of Markdown, for where a box would be too much."""
    found = advice(error)
    return f"{found.title}: {message(found.detail)}"
