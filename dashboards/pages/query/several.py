"""Several queries asked together: sent one after the other, followed, and listed in one table."""

from collections import deque
from dataclasses import dataclass, field

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboards.data.service import service
from dashboards.formats import counted, plain, short_name
from dashboards.pages.query.address import go_to, go_to_several, open_several
from dashboards.panels.matches import score_words
from dashboards.states import failed_text, problems_shown
from dns_apps.service.client_errors import NotFoundError, RequestRefusedError, ServiceBusyError
from dns_apps.service.schemas import Query, QueryOptions

_EVERY_S = 1.0
_KEY = "several"
_OVER = ("done", "failed")


@dataclass
class _Asking:
    """Files that are still to be sent, and those that were refused with the reason."""

    options: QueryOptions
    waiting: deque[UploadedFile]
    refused: list[tuple[str, str]] = field(default_factory=list)


def ask_several(uploads: list[UploadedFile], options: QueryOptions) -> None:
    """Have files sent, one after the other, while `draw_several` is shown."""
    st.session_state[_KEY] = _Asking(options, deque(uploads))


def draw_several() -> None:
    """Send what waits, and draw what came of each query that the address names."""
    st.button("Back to the list", icon=":material/arrow_back:", on_click=go_to, key="leave-several")
    asking: _Asking | None = st.session_state.get(_KEY)
    queries = _found(open_several() or ())
    busy = bool(asking and asking.waiting) or any(query.state not in _OVER for query in queries)
    st.fragment(_watch, run_every=_EVERY_S if busy else None)()


def _watch() -> None:
    with problems_shown("several queries"):
        asking: _Asking | None = st.session_state.get(_KEY)
        if asking and asking.waiting:
            _send_next(asking)
        ids = open_several() or ()
        queries = _found(ids)
        waiting = len(asking.waiting) if asking else 0
        refused = asking.refused if asking else []
        n_over = sum(query.state in _OVER for query in queries) + len(refused)
        total = len(queries) + waiting + len(refused)
        st.progress(n_over / max(1, total), f"{n_over} of {counted(total, 'query', 'queries')} answered")
        _draw_table(queries)
        for name, reason in refused:
            st.markdown(f":material/error: {plain(short_name(name, 60))}: {reason}")
        if len(queries) < len(ids):
            st.caption(f"{counted(len(ids) - len(queries), 'query', 'queries')} are not kept any more.")
        if n_over == total and st.session_state.get(f"{_KEY}-over") != ids:
            st.session_state[f"{_KEY}-over"] = ids
            st.rerun(scope="app")  # what is over needs no renewal


def _send_next(asking: _Asking) -> None:
    """Send a file; one that finds the service busy is sent again later."""
    file = asking.waiting[0]
    try:
        file.seek(0)
        query = service().query_file(file, asking.options, name=file.name, wait_s=0)
    except ServiceBusyError:
        return
    except RequestRefusedError as error:
        asking.refused.append((file.name, failed_text(error)))
    else:
        go_to_several((*(open_several() or ()), query.id))
    asking.waiting.popleft()


def _found(ids: tuple[str, ...]) -> list[Query]:
    found = []
    for query_id in ids:
        try:
            found.append(service().query(query_id))
        except NotFoundError:
            continue  # it was forgotten; the page says how many were
    return found


def _draw_table(queries: list[Query]) -> None:
    for number, query in enumerate(queries):
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.button(
                plain(short_name(query.name, 50)), key=f"several-{number}", icon=":material/search:",
                on_click=go_to, args=(query.id,), width=360,
            )  # fmt: skip
            st.markdown(_told(query), width="stretch")


def _told(query: Query) -> str:
    if query.problem is not None:
        return f":material/error: {plain(query.problem.detail)}"
    if query.answer is None:
        return ":material/pending: on its way"
    if not query.answer.matches:
        return "nothing found"
    best = query.answer.matches[0]
    n_labelled = sum(row.label is not None for row in query.answer.matches)
    return (
        f"{counted(len(query.answer.matches), 'match', 'matches')}, the best {score_words(best.score)} "
        f"{best.score:.3f}: {plain(short_name(best.video_id, 50))} · {n_labelled} labelled"
    )
