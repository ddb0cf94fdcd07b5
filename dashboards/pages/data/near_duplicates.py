"""Near-duplicates among the videos of the index, as the index itself finds them."""

import streamlit as st

from dashboards.data.service import service
from dashboards.formats import clock, counted, plain, short_name
from dashboards.pages.query.address import link_to_review
from dashboards.states import problems_shown, show_empty
from dashboards.widgets.pictures import video_durations, video_pictures
from dns_apps.service.schemas import DuplicateGroups, QueryOptions, StoredExcerpt

_PAGE_GROUPS = 10
_SHOWN = 8
_EVERY_S = 2.0
_MOST_REVIEWED = 100
_WAIT_S = 3.0


def draw_groups() -> None:
    """Draw groups of near-duplicates with their pictures; wait for a large index."""
    page = int(st.session_state.get("alike-page", 1))
    found = service().groups(limit=_PAGE_GROUPS, offset=(page - 1) * _PAGE_GROUPS)
    if found.progress < 1:
        st.fragment(_wait, run_every=_EVERY_S)()
        return
    if not found.total:
        show_empty("No two videos of the index show the same", "Nothing is to be done.", "verified")
        return
    st.markdown(
        f"{counted(found.total, 'group')} of near-duplicates, {counted(found.n_videos, 'video')} in all "
        f"(similarity of {found.similarity:g} or more)."
    )
    n_pages = -(-found.total // _PAGE_GROUPS)
    if n_pages > 1:
        st.number_input(f"Page (of {n_pages})", 1, n_pages, key="alike-page")
    _draw_page(found)


def _wait() -> None:
    found = service().groups(limit=1)
    st.progress(found.progress, "Comparing the videos of the index with one another …")
    if found.progress >= 1:
        st.rerun(scope="app")


def _draw_page(found: DuplicateGroups) -> None:
    for number, videos in enumerate(found.groups):
        name = f"{counted(len(videos), 'video')}: {plain(short_name(videos[0], 60))} …"
        part = st.expander(name, expanded=number == 0, on_change="rerun", key=f"alike-{videos[0]}")
        if part.open:  # pictures of the others are not fetched
            with part:
                _draw_group(videos)


def _draw_group(videos: tuple[str, ...]) -> None:
    shown = videos[:_SHOWN]
    durations = video_durations(shown)
    pictures = video_pictures(tuple((v, s / 2) for v, s in zip(shown, durations, strict=True)))
    with st.container(horizontal=True):
        for video_id, picture, seconds in zip(shown, pictures, durations, strict=True):
            with st.container(width=160, gap="xsmall"):
                if picture:
                    st.image(picture, width=160, alt=f"the middle of {video_id}")
                st.caption(f"{plain(short_name(video_id, 40))} · {clock(seconds)}")
    if len(videos) > len(shown):
        st.dataframe([{"video": video_id} for video_id in videos[_SHOWN:1000]], hide_index=True)
    _draw_review(videos)


def _draw_review(videos: tuple[str, ...]) -> None:
    """Search with the first video of a group, so that a person says what is a copy; verdicts are labels."""
    asked = st.button(
        "Review this group", icon=":material/rule:", key=f"review-{videos[0]}",
        help="Searches with the first video. Your verdict on each match is kept as a label.",
    )  # fmt: skip
    if asked:
        with problems_shown("search"), st.spinner("Searching …"):
            options = QueryOptions(top_k=min(_MOST_REVIEWED, 2 * len(videos)))
            query = service().query_video(StoredExcerpt(video_id=videos[0]), options, wait_s=_WAIT_S)
            st.link_button("Open the review", link_to_review(query.id), icon=":material/open_in_new:")
