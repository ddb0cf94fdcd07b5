"""The answer of a query: what was searched, and a card for each match."""

import streamlit as st

from dashboards.data.service import service
from dashboards.formats import ago, clock, counted, plain, share, short_name
from dashboards.pages.query.address import go_to, link_to, review
from dashboards.pages.query.labels import draw_label
from dashboards.panels.exports import answer_csv, answer_json
from dashboards.panels.matches import thumbnail_moment, timeline_html
from dashboards.states import show_empty
from dashboards.widgets.pictures import query_picture, video_durations, video_pictures
from dns_apps.service.schemas import MatchRow, Query, QueryAnswer


def query_span(query: Query) -> tuple[float, float]:
    """Start and end of the part that was searched with, on the video's own clock."""
    start = query.searched.start_s
    return start, start + query.duration_s


def draw_answer(query: Query, answer: QueryAnswer) -> None:
    """Draw what was asked, what came of it, and the cards."""
    _draw_asked(query, answer)
    if not answer.matches:
        show_empty(
            "Nothing in the index looks like this video",
            "Lower the score from which matches are shown, or raise the budget, and search again.",
            "search_off",
        )
        return
    moments = tuple((match.video_id, thumbnail_moment(match)) for match in answer.matches)
    with st.spinner("Fetching pictures …"):
        pictures = video_pictures(moments)
        durations = video_durations(tuple(match.video_id for match in answer.matches))
    with st.container(horizontal=True, key="cards"):
        for match, picture, duration_s in zip(answer.matches, pictures, durations, strict=True):
            _draw_card(query, match, picture, duration_s)


def draw_name(match: MatchRow, longest: int = 32) -> None:
    """Score, badge and name of a match."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{match.score:.3f}**", width="content")
        if match.stage == "fine":
            st.badge("fine", color="blue", help="A fine network compared the two frame by frame.")
        else:
            st.badge(
                "coarse", color="gray", help="Ranked by one vector a video; not compared frame by frame."
            )
        st.caption(f"#{match.rank}", width="content")
    shown = short_name(match.video_id, longest)
    st.markdown(plain(shown), help=None if shown == match.video_id else plain(match.video_id))


def _draw_asked(query: Query, answer: QueryAnswer) -> None:
    start, stop = query_span(query)
    picture = query_picture(query.id, (start + stop) / 2)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="asked"):
        if picture:
            st.image(picture, width=150, alt=f"the moment of {query.name} that was searched with")
        with st.container(width="stretch", gap="small"):
            st.markdown(f"**{plain(short_name(query.name, 70))}** · {clock(start)}-{clock(stop)}")
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


def _draw_card(query: Query, match: MatchRow, picture: bytes | None, duration_s: float) -> None:
    with st.container(border=True, gap="xsmall", key=f"card-{match.rank}"):
        if picture:
            st.image(picture, width="stretch", alt=f"a moment of {match.video_id}")
        else:
            st.caption(":material/hide_image: no picture of this video")
        draw_name(match)
        st.html(timeline_html(match, query_span(query), duration_s))
        draw_label(query.id, match, where="card")
        st.button(
            "Compare", key=f"open-{match.rank}", icon=":material/compare:", width="stretch",
            on_click=go_to, args=(query.id, match.video_id),
        )  # fmt: skip
