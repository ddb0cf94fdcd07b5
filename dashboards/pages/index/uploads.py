"""Videos and folders from the browser into a collection: kept on disk, taken in by the flow ``ingest``."""

import secrets
import shutil
from pathlib import Path, PurePosixPath

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboards.data import records
from dashboards.data.service import workspace
from dashboards.formats import counted
from dashboards.states import problems_shown
from dashboards.widgets.page_links import draw_page_link
from dashboards.widgets.run_view import draw_run
from dns_core.errors import InputError
from dns_ops.settings import make_private_folder

_COLLECTIONS = {
    "database": "database: what is searched",
    "train": "train: what models learn from",
    "queries": "queries: what an evaluation asks",
}
_INCOMING = Path(".platform") / "incoming"
_RUN = "upload-run"


def draw_uploads() -> None:
    """Draw the files to take in, and the run that does it until it is over."""
    if run_id := st.session_state.get(_RUN):
        with problems_shown("upload"):
            _draw_run(run_id)
    with st.expander("Upload videos or a folder", icon=":material/upload:"):
        folder = st.toggle("A whole folder", key="ingest-folder")
        files = st.file_uploader(
            "Videos to take in", key="ingest-files-of-folder" if folder else "ingest-files",
            accept_multiple_files="directory" if folder else True,
        )  # fmt: skip
        collection = st.selectbox(
            "Collection", list(_COLLECTIONS), format_func=_COLLECTIONS.__getitem__, key="ingest-collection"
        )
        label = f"Take in {counted(len(files), 'file')}" if files else "Take in"
        if st.button(label, icon=":material/upload:", key="ingest", disabled=not files):
            with problems_shown("upload"):
                st.session_state[_RUN] = take_in(files, collection)
                st.rerun()
        st.caption(
            "Each file is checked, copied into the collection and recorded in a version of the data. "
            "What is in the database can be added to the index below."
        )


def take_in(files: list[UploadedFile], collection: str) -> str:
    """Keep uploaded files on disk and start the flow that takes them in; its run's id.

    Raises:
        InputError: a name leads out of the folder.
        FlowServerError: the Prefect server does not answer.
    """
    folder = workspace() / _INCOMING / secrets.token_hex(8)
    try:
        bar = st.progress(0.0, "Keeping files …")
        for done, file in enumerate(files, start=1):
            path = folder / safe_path(file.name)
            make_private_folder(path.parent)
            with path.open("wb") as kept:
                shutil.copyfileobj(file, kept, 1 << 20)
            bar.progress(done / len(files), f"Kept {done} of {len(files)}")
        given = {"source": str(folder.resolve()), "collection": collection}
        run = records.flow_server().start_named("ingest/ingest", given)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    st.session_state[f"{_RUN}-folder"] = str(folder)
    return run.run_id


def safe_path(name: str) -> PurePosixPath:
    """A name that a browser gave as a path below a folder.

    Raises:
        InputError: it leads out of it.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise InputError(f"expected the name of a file below the folder, found {name!r}; rename it")
    return path


def _draw_run(run_id: str) -> None:
    run = records.flow_server().run(run_id)
    draw_run(run_id, "ingest")
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_page_link("flows", "Open on the page Flows", run=run_id)
        if run.is_over:
            shutil.rmtree(st.session_state.pop(f"{_RUN}-folder", ""), ignore_errors=True)
            st.button("Put away", icon=":material/close:", key="put-away", on_click=_forget)


def _forget() -> None:
    st.session_state[_RUN] = ""
