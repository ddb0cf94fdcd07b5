"""``python -m dns_apps.service``: the query service of the workspace in the current folder."""

from pathlib import Path

from dns_apps.service.server import serve
from dns_ops.settings import load_settings

if __name__ == "__main__":
    serve(Path.cwd(), load_settings(Path.cwd()))
