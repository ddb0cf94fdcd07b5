"""The shell, and that each page of the navigation is there and light."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboards
from dashboards.navigation import PAGES, PageEntry

APP = Path(dashboards.__file__).parent / "app.py"


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A workspace with nothing in it, and a query service that does not answer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNS_SERVICE_URL", "http://127.0.0.1:9")


@pytest.mark.usefixtures("nowhere")
def test_the_first_page_of_an_empty_workspace_says_what_to_do_and_shows_no_trace() -> None:
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not app.exception
    shown = " ".join(element.value for element in app.markdown)
    assert "does not answer" in shown
    assert "dns up" in shown


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_a_page_is_a_module_that_draws(entry: PageEntry) -> None:
    assert callable(importlib.import_module(f"dashboards.pages.{entry.name}").render)


def test_the_pages_load_no_torch() -> None:
    modules = ", ".join(f"dashboards.pages.{entry.name}" for entry in PAGES)
    code = f"import sys, {modules}; print([m for m in ('torch', 'faiss', 'av', 'numba') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "STREAMLIT_LOGGER_LEVEL": "error"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
