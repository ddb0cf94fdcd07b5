"""Query: search the index with a video, look at what was found, and say what is a copy."""

import streamlit as st

from dashboards.data.service import service
from dashboards.formats import plain
from dashboards.pages.query.address import go_to, open_match, open_query, open_review, open_several
from dashboards.pages.query.answer import draw_answer
from dashboards.pages.query.ask import draw_form
from dashboards.pages.query.match import draw_match
from dashboards.pages.query.progress import draw_progress
from dashboards.pages.query.recent import draw_exports, draw_recent
from dashboards.pages.query.review import draw_review
from dashboards.pages.query.several import draw_several
from dashboards.states import problems_shown
from dashboards.theme import page_head
from dns_apps.service.client_errors import NotFoundError
from dns_apps.service.schemas import Problem, Query


def render() -> None:
    """Draw the page: a match if the address names one, else a query, else the form."""
    page_head("Query", "Find every copy, excerpt and other footage of a video in the index.")
    query_id = open_query()
    if open_several() is not None and not query_id:
        draw_several()
        return
    if not query_id:
        draw_form()
        with problems_shown("recent queries"):
            draw_recent()
        with problems_shown("labels"):
            draw_exports()
        return
    try:
        query = service().query(query_id)
    except NotFoundError as error:
        st.button("Back to the list", icon=":material/arrow_back:", on_click=go_to)
        raise NotFoundError(
            Problem(title="This query is not kept", status=404, detail=error.problem.detail)
        ) from error
    _draw(query)


def _draw(query: Query) -> None:
    reviewed = open_review()
    if query.answer is not None and reviewed is not None:
        draw_review(query, query.answer, reviewed)
    elif query.answer is not None and open_match():
        draw_match(query, query.answer, open_match())
    elif query.answer is not None:
        with st.expander("Search with another video", icon=":material/search:"):
            draw_form()
        draw_answer(query, query.answer)
    elif query.problem is not None:
        _draw_failed(query, query.problem)
    else:
        draw_progress(query.id)


def _draw_failed(query: Query, problem: Problem) -> None:
    with st.container(border=True, key="failed"):
        st.markdown(f":material/error: **{plain(query.name)} could not be searched with**")
        st.text(f"{problem.title}: {problem.detail}")
        st.markdown(_todo(problem))
    draw_form()


def _todo(problem: Problem) -> str:
    if problem.status < 500:
        return "Choose another file or an excerpt of it, and search again."
    return "Search again; if it stays, the log of the query service says more (`.platform/logs`)."
