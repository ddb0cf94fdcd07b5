"""``python -m dashboards.shell``: `streamlit run`, with the pages in memory before anybody opens one."""

import inspect
import sys
from importlib import import_module
from pathlib import Path

from streamlit.web import cli

from dashboards.navigation import PAGES
from dashboards.records import read_ahead


def main() -> None:
    """Serve the dashboard until stopped; the arguments of this process are Streamlit's."""
    for entry in PAGES:
        import_module(f"dashboards.pages.{entry.name}")
    _spare_the_first_visitor()
    read_ahead()
    app = Path(__file__).with_name("app.py")
    sys.argv = ["streamlit", "run", str(app), *sys.argv[1:]]
    cli.main(prog_name="streamlit")


def _spare_the_first_visitor() -> None:
    """What Streamlit does once, when a first page is drawn, is done before there is one: 0.6 s."""
    import_module("PIL.Image")  # opens the icon
    inspect.stack()  # where it looks for an interactive shell: every module's file is looked up


if __name__ == "__main__":
    main()
