"""Files that the index does not hold yet, and adding them."""

import streamlit as st

from dashboards.data.service import index_state, service
from dashboards.formats import count, plain, short_name
from dashboards.pages.index.uploads import draw_uploads
from dashboards.states import problems_shown, show_empty
from dashboards.widgets.page_links import draw_page_link
from dashboards.widgets.pager import draw_pager, page_offset
from dns_apps.service.schemas import IndexState, Job

_LISTED = 50
_EVERY_S = 1.0


def draw_growth() -> None:
    """Draw the files that could be added, and follow work that adds some to its end."""
    if job_id := st.session_state.get("index-job") or _under_way():
        st.fragment(_follow, run_every=_EVERY_S)(job_id)
    elif ended := st.session_state.pop("index-job-ended", None):
        _draw_end(ended)
    draw_uploads()
    search = st.text_input("Find by path", key="candidate-search", placeholder="part of a path").strip()
    page = service().candidates(search, limit=_LISTED, offset=page_offset("candidates", search))
    if not page.items:
        show_empty(
            "Every file of the video folders is in the index" if not search else "No such file",
            "Upload videos above, or copy them into the workspace's folder of videos; then they can be added "
            "here.",
        )
        draw_page_link("flows", "Take in a folder of this machine with the flow ingest")
        return
    ticked = st.dataframe(
        [{"file": path} for path in page.items], hide_index=True, key=f"candidates-{search}-{page.offset}",
        on_select="rerun", selection_mode="multi-row", height=320,
    )["selection"]["rows"]  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_pager("candidates", page)
        label = f"Add {count(len(ticked))} to the index" if ticked else "Add to the index"
        if st.button(label, icon=":material/add:", type="primary", disabled=not ticked, key="add"):
            with problems_shown("adding"):
                st.session_state["index-job"] = service().add_videos([page.items[row] for row in ticked]).id
                st.rerun()


def _under_way() -> str:
    """Work that was asked for elsewhere, or before the page was left; empty if there is none."""
    newest = service().jobs(limit=1).items
    return newest[0].id if newest and newest[0].state in ("queued", "running") else ""


def _follow(job_id: str) -> None:
    with problems_shown("job"):
        job = service().job(job_id)
        _draw_job(job)
        if job.state in ("done", "failed"):
            st.session_state["index-job"] = ""
            st.session_state["index-job-ended"] = job
            st.cache_data.clear()
            st.rerun(scope="app")


def _draw_job(job: Job) -> None:
    st.progress(min(max(job.progress, 0.0), 1.0), f"Adding videos: {job.state}")
    for line in job.messages[-4:]:
        st.caption(plain(short_name(line, 160)))


def _draw_success(job: Job, served: IndexState) -> None:
    """Draw what holds the videos and what answers: the same, unless a promotion came between."""
    holder = f"Version {job.version} of {index_name(job.release)}"
    if (job.release, job.version) == (served.release, served.version):
        st.success(f"{holder} holds what could be added, and answers now.")
    else:
        st.warning(
            f"{holder} holds what could be added; version {served.version} of {index_name(served.release)} "
            "answers now."
        )


def index_name(release: int) -> str:
    """An index as people call it: by its release, or as the workspace's own."""
    return f"the index of release {release}" if release else "the workspace's own index"


def _draw_end(job: Job) -> None:
    if job.problem is not None:
        st.error(f"Nothing was added. {plain(job.problem.title)}: {plain(job.problem.detail)}")
    else:
        _draw_success(job, index_state())
    for line in job.messages[-10:]:
        st.caption(plain(short_name(line, 160)))
