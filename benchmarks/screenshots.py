"""Screenshots of every page of a running dashboard, light and dark, at a desk's and a phone's width.

    python benchmarks/screenshots.py http://127.0.0.1:8501 docs/screenshots

The pages are those of the navigation; the page Query is shown with a query and with one of its matches too,
if one was asked before. Needs Chromium and `playwright`.
"""

import argparse
import io
import shutil
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from dns_apps.service.client import Client
from dns_apps.service.client_errors import ServiceError
from dns_ops.settings import load_settings

WIDTHS_PX = {"": 1280, "-phone": 390}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
HEIGHT_PX, TALLEST_PX = 800, 2200
COLOURS = 160
PATIENCE_MS = 90_000


def main() -> int:
    """Make them; 1 if there is no browser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="of the dashboard")
    parser.add_argument("out", type=Path, help="folder of the pictures")
    parser.add_argument("names", nargs="*", help="of the views that are wanted; all of them if none is given")
    given = parser.parse_args()
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        sys.stderr.write(f"expected one of {', '.join(names)} on the PATH, found none\n")
        return 1
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        views = {**_pages(browser, given.url), **_query_views(given.url)}
        views = {name: view for name, view in views.items() if not given.names or name in given.names}
        for scheme in SCHEMES:
            for suffix, width in WIDTHS_PX.items():
                _shoot_all(browser, views, (scheme, width), given.out, suffix)
        browser.close()
    return 0


def _pages(browser: Browser, url: str) -> dict[str, str]:
    """Address by name of every page in the navigation."""
    page = browser.new_page(viewport={"width": WIDTHS_PX[""], "height": HEIGHT_PX})
    page.goto(url)
    _settle(page)
    links = page.get_by_test_id("stSidebarNavLink").evaluate_all("found => found.map(link => link.href)")
    page.close()
    return {urlsplit(link).path.strip("/") or "home": link for link in links}


def _query_views(url: str) -> dict[str, str]:
    """The newest answered query, and its first match."""
    settings = load_settings(Path.cwd())
    token = settings.service_token.get_secret_value() or None
    try:
        with Client(settings.query_service(), token) as service:
            for row in service.queries(limit=50).items:
                if row.n_matches > 1:
                    answer = f"{url}/query?query={row.id}"
                    return {"query-answer": answer, "query-match": f"{answer}&match={row.best}"}
    except ServiceError as error:
        sys.stderr.write(f"no query is shown: {error}\n")
    return {}


def _shoot_all(
    browser: Browser, views: dict[str, str], look: tuple[Scheme, int], out: Path, suffix: str
) -> None:
    scheme, width = look
    for name, address in views.items():
        page = browser.new_page(viewport={"width": width, "height": HEIGHT_PX}, color_scheme=scheme)
        page.goto(address)
        _settle(page)
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": width, "height": max(HEIGHT_PX, min(height, TALLEST_PX))})
        page.wait_for_timeout(1200)
        _write(page.screenshot(), out / f"{name}-{scheme}{suffix}.png")
        page.close()


def _settle(page: Page) -> None:
    page.wait_for_selector("h1", timeout=PATIENCE_MS)
    page.wait_for_timeout(1500)
    idle = "() => !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSpinner]')"
    page.wait_for_function(idle, timeout=PATIENCE_MS)
    page.wait_for_timeout(1500)


def _write(png: bytes, path: Path) -> None:
    """Write a picture in few colours: a third of the bytes, and it looks the same."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
