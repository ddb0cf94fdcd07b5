"""Index: what it holds and what made it, its versions, and adding and removing videos."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboards.data import records
from dashboards.data.service import index_state, service
from dashboards.formats import ago, count, moment, plain, share, size
from dashboards.pages.index.contents import draw_contents
from dashboards.pages.index.growth import draw_growth, index_name
from dashboards.states import problems_shown
from dashboards.theme import page_head
from dashboards.widgets.refused import draw_pictures
from dns_apps.service.schemas import IndexState
from dns_core.store.index_parts import COARSE, MOMENTS, NAMES, bytes_read


def render() -> None:
    """Draw the page."""
    page_head("Index", "What can be found: its versions, what made it, and which videos it holds.")
    state = index_state()
    _draw_health(state)
    _draw_figures(state)
    parts: dict[str, Callable[[], None]] = {
        "Videos": partial(draw_contents, state),
        "Add": draw_growth,
        "Versions": partial(_draw_versions, state),
        **({"Machines": partial(_draw_machines, state)} if state.holders else {}),
        "Fingerprints": partial(_draw_fingerprints, state),
        "Quarantine": partial(_draw_quarantine, state),
    }
    tabs = st.tabs(list(parts), on_change="rerun", key="index-part")
    for tab, (name, draw) in zip(tabs, parts.items(), strict=True):
        if tab.open:  # the others cost nothing
            with tab, problems_shown(name):
                draw()


def _draw_health(state: IndexState) -> None:
    newer = [row.version for row in state.versions if row.newest and not row.served]
    with st.container(horizontal=True, vertical_alignment="center"):
        if state.healthy:
            st.badge("healthy", icon=":material/check_circle:", color="green", help=plain(state.health))
        else:
            st.badge("not healthy", icon=":material/error:", color="red")
            st.text(state.health)
        st.caption(
            f"Version {state.version} of {index_name(state.release)} ({plain(state.folder)}) answers since "
            f"{ago(state.loaded_at)}; what is added or removed here changes it.",
            width="content",
        )
        label = f"Serve version {newer[0]}" if newer else "Reload"
        if st.button(
            label, icon=":material/refresh:", key="reload", type="primary" if newer else "secondary",
            help="The newest version on disk answers from then on; queries under way end with the old one.",
        ):  # fmt: skip
            with problems_shown("reload"):
                _reload()

    if state.waiting:
        champion = records.champion_version()
        st.warning(f"Release {champion} is in service and does not answer yet: {plain(state.waiting)}")


def _reload() -> None:
    with st.spinner("Loading the newest version …"):
        state = service().reload_index()
    st.cache_data.clear()
    st.toast(f"Version {state.version} answers now.", icon=":material/check:")
    st.rerun()


def _draw_figures(state: IndexState) -> None:
    with st.container(horizontal=True, key="figures"):
        st.metric("Videos", count(state.n_videos), border=True)
        st.metric("Version", f"v{state.version}", border=True)
        st.metric("Size", size(state.n_bytes), border=True)
        st.metric("A video takes", size(state.bytes_per_video), border=True)
        st.metric("Frames", count(state.n_frames), border=True)
        st.metric(
            "Coverage", share(state.coverage, 1), border=True, help="Share of the corpus that is searched."
        )
    if state.parts:
        st.caption(f"A video takes {_parts_text(state)}.")
    if state.n_removed:
        st.caption(f"{count(state.n_removed)} removed videos still take space; `dns index compact` frees it.")


def _parts_text(state: IndexState) -> str:
    """What a video takes, and of what: a search reads one fine network's part, and those that all share."""
    n_videos = max(1, state.n_videos)
    sizes = ", ".join(f"{plain(part)} {size(n_bytes / n_videos)}" for part, n_bytes in state.parts.items())
    fines = [part for part in state.parts if part not in (NAMES, COARSE, MOMENTS)]
    read = ", ".join(f"with {plain(f)} {size(bytes_read(state.parts, f) / n_videos)}" for f in fines)
    return f"{size(state.bytes_per_video)}: {sizes}. A search reads of it {read or 'all'}"


def _draw_versions(state: IndexState) -> None:
    rows = [
        {
            "version": row.version,
            "videos": row.n_videos,
            "made": moment(row.created_at),
            "served": row.served,
            "newest": row.newest,
        }
        for row in reversed(state.versions)
    ]
    st.dataframe(rows, hide_index=True, key="versions")
    st.caption("The version before the newest stays on disk for readers that had just opened it.")


def _draw_machines(state: IndexState) -> None:
    rows = [
        {
            "holder": row.name,
            "shards": f"group {row.group}",
            "machine": row.host or "-",
            "state": row.state,
            "version": row.version or None,
            "versions behind": row.lag,
            "videos": row.n_videos,
            "problem": row.problem,
        }
        for row in state.holders
    ]
    st.dataframe(rows, hide_index=True, key="machines")
    st.caption("A group of shards is searched while one of its holders is ready; the others mend themselves.")


def _draw_fingerprints(state: IndexState) -> None:
    rows = [{"what": "ids and contents", "fingerprint": state.data}]
    rows += [{"what": role, "fingerprint": value} for role, value in sorted(state.models.items())]
    st.dataframe(rows, hide_index=True, key="fingerprints")
    st.caption("A query that was described by other models is refused, never answered wrongly.")


def _draw_quarantine(state: IndexState) -> None:
    if not state.n_quarantined:
        st.caption(":material/check: Every video of the corpus is in the index.")
        return
    st.dataframe([row.model_dump() for row in state.quarantine], hide_index=True, key="quarantine")
    draw_pictures([row.video_id for row in state.quarantine])
    if state.n_quarantined > len(state.quarantine):
        st.caption(f"The first {len(state.quarantine)} of {count(state.n_quarantined)}.")
