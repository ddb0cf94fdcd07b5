"""``python -m dashboards.shell``: `streamlit run`, with the pages in memory before anybody opens one."""

import sys
from importlib import import_module
from pathlib import Path
from threading import Thread

from streamlit.web import cli

from dashboards.navigation import PAGES
from dashboards.records import read_ahead


def main() -> None:
    """Serve the dashboard until stopped; the arguments of this process are Streamlit's."""
    for entry in PAGES:
        import_module(f"dashboards.pages.{entry.name}")
    Thread(target=read_ahead, name="read-ahead", daemon=True).start()
    app = Path(__file__).with_name("app.py")
    sys.argv = ["streamlit", "run", str(app), *sys.argv[1:]]
    cli.main(prog_name="streamlit")


if __name__ == "__main__":
    main()
