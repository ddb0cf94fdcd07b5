"""How long each page of the dashboard takes to stand, over an index of 100,000 videos.

    python benchmarks/page_loads.py --videos 100000 --out page_loads.json

Made are an index of so many small records with ids of every kind, their files (empty ones), and what the
stages say of as many training videos; served are the query service and the dashboard over them. Written
are, for each page, the seconds from the browser's request until the page stands and nothing of it is
waited for: the first visit, by a browser that has seen nothing of the dashboard yet, and the median and
the slowest of the visits after it, each by a new session of a browser that has. Beside them stands an app of
one title: what Streamlit itself takes on this machine at that time.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from dashboards.navigation import PAGES
from dns_core.index import EncodedVideo, build_index
from dns_core.records import VideoFeatures
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.store.atomic import write_json
from dns_core.workspace import Workspace
from dns_ops.http_probe import connection_problem
from dns_ops.platform.services import dashboard_command
from dns_ops.settings import Settings

_FRAMES = 4
_SCRIPTS = ("Ünïcödé", "日本語", "a b", "clip's", "x" * 80)
_PATIENCE_S = 180.0
_TITLE_ALONE = "import streamlit\nstreamlit.title('Nothing')\n"
_STANDS = """() => document.querySelector('h1')
    && document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSpinner], [data-testid=stSkeleton]')"""


def main() -> None:
    """Make the archive, open every page, and write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--videos", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("artifacts/page_loads.json"))
    parser.add_argument("--keep", type=Path, help="folder of an archive made before, or to be made and kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = given.keep or Path(scratch)
        if not (root / "artifacts/index").exists():
            _make_archive(root, given.videos)
        with _served(root) as url, sync_playwright() as play:
            program = shutil.which("chromium") or shutil.which("google-chrome")
            browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
            browser.new_page().goto(f"{url}/_stcore/health")  # the browser's own start is no page's
            # The first page has no name in the address.
            names = {entry.name: entry.name if entry is not PAGES[0] else "" for entry in PAGES}
            seconds = {name: _visits(browser, f"{url}/{at}", given.visits) for name, at in names.items()}
            with _title_alone(Path(scratch)) as bare_url:
                seconds["a title alone"] = _visits(browser, bare_url, given.visits)
            browser.close()
    pages = {
        name: {"first": found[0], "again": median(found[1:]), "slowest": max(found[1:])}
        for name, found in seconds.items()
    }
    figures = {"videos": given.videos, "load_average": os.getloadavg()[0], "seconds": pages}
    write_json(given.out, figures)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def video_id(number: int) -> str:
    """An id as archives have them: by year, month and day, some in other scripts or with signs in them."""
    odd = f" {_SCRIPTS[number // 50 % len(_SCRIPTS)]}" if number % 50 == 0 else ""
    day = f"{2015 + number % 10}/{1 + number % 12:02}/{1 + number % 28:02}"
    return f"{day}/camera-{number % 40:02}{odd}/take {number:06}.mp4"


def _make_archive(root: Path, n_videos: int) -> None:
    generator = np.random.default_rng(0)
    bundle = Bundle.load(SHIPPED_MODELS)
    encoder = VideoEncoder(bundle, replace(bundle.index_settings, fine_networks=("fine_binary",)))
    shape = (_FRAMES, *_regions(bundle))
    regions = generator.standard_normal(shape, dtype=np.float32)
    regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
    pattern = encoder.encode(VideoFeatures("", regions, np.arange(_FRAMES, dtype=np.float64)))

    def records() -> Iterator[EncodedVideo]:
        for number in range(n_videos):
            coarse = generator.standard_normal(pattern.coarse.shape, dtype=np.float32)
            coarse /= np.linalg.norm(coarse, axis=-1, keepdims=True)
            yield replace(pattern, video_id=video_id(number), coarse=coarse)

    build_index(root / "artifacts/index", records(), encoder.origin)
    for number in range(n_videos):
        path = root / "data/test/database" / video_id(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    _write_findings(Workspace(root), n_videos)
    here = Path(__file__).resolve().parents[1]
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(here / name, root / name)


def _regions(bundle: Bundle) -> tuple[int, int]:
    """Regions of a frame, and their dimensions."""
    return 9, bundle.whitening.dims


def _write_findings(workspace: Workspace, n_videos: int) -> None:
    """Write what the stages say of as many training videos: figures, refused ones and groups of three."""
    ids = [video_id(number) for number in range(n_videos)]
    facts = {"codec": "h264", "fps": 25.0, "height_px": 720, "width_px": 1280, "rotation_deg": 0}
    rows = [
        {**facts, "video_id": name, "duration_s": 10.0 + number % 600, "n_bytes": 10**6, "sha256": "0" * 64}
        for number, name in enumerate(ids)
    ]
    bad = [{"video_id": f"bad/{name}", "reason": "corrupt", "detail": "no frame"} for name in ids[::50]]
    for collection, found in (("train", rows), ("database", rows), ("queries", rows[:30])):
        write_json(workspace.probes(collection), {"videos": found, "quarantine": bad})
    groups = {name: number // 3 for number, name in enumerate(ids)}
    alike = {name: [ids[number - number % 3]] for number, name in enumerate(ids)}
    split = {"cluster_of": groups, "alike": alike, "train": ids[: n_videos // 2]}
    write_json(workspace.split, {**split, "validation": ids[n_videos // 2 :]})


def _visits(browser: Browser, url: str, n: int) -> list[float]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    found = [_visit(context, url) for _ in range(1 + n)]
    context.close()
    return found


def _visit(context: BrowserContext, url: str) -> float:
    page = context.new_page()
    began_s = time.perf_counter()
    page.goto(url)
    page.wait_for_function(_STANDS, timeout=_PATIENCE_S * 1000)
    took_s = time.perf_counter() - began_s
    page.close()
    return round(took_s, 2)


@contextmanager
def _served(root: Path) -> Iterator[str]:
    service, dashboard = _free_port(), _free_port()
    here = str(Path(__file__).resolve().parents[1])
    own = {"DNS_SERVE_PORT": str(service), "DNS_SERVE_MODELS": str(SHIPPED_MODELS), "PYTHONPATH": here}
    own |= {"DNS_SERVICE_URL": f"http://127.0.0.1:{service}", "PREFECT_API_URL": "http://127.0.0.1:9/api"}
    with (
        _running((sys.executable, "-m", "dns_apps.service"), root, own, f"http://127.0.0.1:{service}/readyz"),
        _running(dashboard_command(Settings(), "127.0.0.1", dashboard), root, own, _health(dashboard)),
    ):
        yield f"http://127.0.0.1:{dashboard}"


@contextmanager
def _title_alone(folder: Path) -> Iterator[str]:
    app, port = folder / "title.py", _free_port()
    app.write_text(_TITLE_ALONE)
    options = ("--server.headless", "true", "--server.address", "127.0.0.1", "--server.port", str(port))
    command = (sys.executable, "-m", "streamlit", "run", str(app), *options)
    with _running(command, folder, {}, _health(port)):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(command: tuple[str, ...], folder: Path, own: dict[str, str], health: str) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **own})  # noqa: S603 - our own
    try:
        _await(lambda: not connection_problem(health), health)
        yield
    finally:
        process.terminate()
        process.wait()


def _health(dashboard: int) -> str:
    return f"http://127.0.0.1:{dashboard}/_stcore/health"


def _await(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} did not answer within {_PATIENCE_S:g} s")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


if __name__ == "__main__":
    main()
