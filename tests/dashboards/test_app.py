"""The shell, and that each page of the navigation is there and light."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import dashboards
from dashboards.navigation import PAGES, PageEntry

APP = Path(dashboards.__file__).parent / "shell" / "app.py"


def test_the_first_page_of_an_empty_workspace_says_what_to_do_and_shows_no_trace(
    texts: Callable[[AppTest], str],
) -> None:
    shown = texts(AppTest.from_file(str(APP), default_timeout=60).run())
    assert "does not answer" in shown
    assert "dns up" in shown


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_a_page_is_a_module_that_draws(entry: PageEntry) -> None:
    assert callable(importlib.import_module(f"dashboards.pages.{entry.name}").render)


def test_a_defect_of_a_page_is_told_without_a_trace(
    fake: Any, opened: Callable[..., AppTest], texts: Callable[[AppTest], str]
) -> None:
    fake.failure = ZeroDivisionError("inner secret")
    shown = texts(opened("index"))
    assert "Something went wrong" in shown
    assert "inner secret" not in shown
    assert "Traceback" not in shown


def test_nothing_lies_beside_the_script_that_streamlit_would_run_by_itself() -> None:
    assert not (APP.parent / "pages").exists()


def test_the_pages_load_no_torch() -> None:
    modules = ", ".join(f"dashboards.pages.{entry.name}" for entry in PAGES)
    code = f"import sys, {modules}; print([m for m in ('torch', 'faiss', 'av', 'numba') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "STREAMLIT_LOGGER_LEVEL": "error"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
