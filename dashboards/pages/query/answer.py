"""The answer of a query: what was searched, what came of it, and searching again."""

import streamlit as st

from dashboards.data.service import service
from dashboards.formats import ago, clock, counted, plain, share, short_name
from dashboards.pages.query.address import go_to, link_to, review
from dashboards.pages.query.cards import draw_cards, query_span
from dashboards.pages.query.labels import draw_labels
from dashboards.pages.query.options import WAIT_S, draw_options
from dashboards.panels.exports import answer_csv, answer_json
from dashboards.panels.matches import score_words
from dashboards.states import problems_shown, show_empty
from dashboards.widgets.pictures import query_picture
from dns_apps.service.schemas import Query, QueryAnswer


def draw_answer(query: Query, answer: QueryAnswer) -> None:
    """Draw what was asked, what came of it, and the cards."""
    _draw_asked(query, answer)
    _draw_options(query)
    if answer.matches:
        draw_cards(query, answer.matches)
        with st.expander("Who labelled what", icon=":material/label:", on_change="rerun") as part:
            if part.open:
                draw_labels(query.id)
        return
    show_empty("Nothing in the index looks like this video", _nearest(answer), "search_off")


def _nearest(answer: QueryAnswer) -> str:
    """What to do when nothing was found, and how near the nearest came."""
    todo = "Lower the score from which matches are shown, or raise the budget, and search again."
    miss = answer.near_miss
    if miss is None:
        return todo
    words = f"{score_words(miss.score)} {miss.score:.3f}"
    return f"The nearest is {plain(short_name(miss.video_id, 60))}: {words}. {todo}"


def _draw_asked(query: Query, answer: QueryAnswer) -> None:
    start, stop = query_span(query)
    picture = query_picture(query.id, (start + stop) / 2)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="asked"):
        if picture:
            st.image(picture, width=150, alt=f"the moment of {query.name} that was searched with")
        with st.container(width="stretch", gap="small"):
            title = f"**{plain(query.title)}** · " if query.title else ""
            st.markdown(f"{title}**{plain(short_name(query.name, 70))}** · {clock(start)}-{clock(stop)}")
            st.caption(_figures(query, answer))
            with st.container(horizontal=True, gap="small"):
                _draw_actions(query)


def _figures(query: Query, answer: QueryAnswer) -> str:
    n_fine = sum(match.stage == "fine" for match in answer.matches)
    parts = [
        f"{counted(len(answer.matches), 'match', 'matches')} ({n_fine} fine)",
        f"score from {query.options.threshold:.2f}",
        f"{counted(answer.n_videos, 'video')} searched, coverage {share(answer.coverage, 1)}",
        f"budget {query.options.budget}",
        f"{answer.timing_ms.get('total', 0.0):.0f} ms",
        f"index v{answer.index_version}",
        ago(query.created_at),
    ]
    if answer.missing_shards:
        parts.append(f"without {counted(len(answer.missing_shards), 'shard')} that could not be searched")
    return " · ".join(plain(part) for part in parts)


def _draw_actions(query: Query) -> None:
    st.button(
        "Review", icon=":material/rate_review:", key="review", shortcut="V", on_click=review,
        args=(query.id,), type="primary",
        help="Judge one match after the other, by keyboard: Y, N or U, Z to undo.",
    )  # fmt: skip
    st.download_button(
        "CSV", answer_csv(query), f"query-{query.id}.csv", "text/csv", icon=":material/download:", key="csv"
    )
    st.download_button(
        "JSON", answer_json(query), f"query-{query.id}.json", "application/json",
        icon=":material/download:", key="json",
    )  # fmt: skip
    _draw_keeping(query)
    with st.popover("Link", icon=":material/link:"):
        st.caption("Opens this very query again, as long as the service keeps it.")
        st.code(link_to(query.id), language=None, wrap_lines=True)
    with st.popover("Forget", icon=":material/delete:"):
        st.caption("The query and its uploaded video are deleted; labels stay.")
        if st.button("Forget this query", key="forget"):
            service().delete_query(query.id)
            go_to()
            st.rerun()
    st.button("Back to the list", icon=":material/arrow_back:", key="leave", on_click=go_to, type="tertiary")


def _draw_keeping(query: Query) -> None:
    """Name the search, and so keep it; or take the name back."""
    with st.popover("Saved" if query.title else "Save", icon=":material/bookmark:"):
        st.caption("A search with a name is kept with its video. Its link opens it for everybody here.")
        with st.form("save", border=False):
            title = st.text_input("Name", query.title, max_chars=200, key="title")
            if st.form_submit_button("Keep under this name", type="primary"):
                with problems_shown("save"):
                    service().put_title(query.id, title)
                    st.rerun()


def _draw_options(query: Query) -> None:
    """Search again with the same video under other options."""
    with st.expander("Other threshold or budget", icon=":material/tune:", expanded=not _has_matches(query)):
        options = draw_options(query.options, f"again-{query.id}")
        if st.button("Search again", key="again", icon=":material/refresh:", type="primary"):
            with problems_shown("search again"), st.spinner("Searching …"):
                go_to(service().query_again(query.id, options, wait_s=WAIT_S).id)
                st.rerun()


def _has_matches(query: Query) -> bool:
    return bool(query.answer and query.answer.matches)
