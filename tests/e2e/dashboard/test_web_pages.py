"""Pages of other sites, in a real browser, try every server that `dns up` starts; its own pages work.

The same attack runs on a server without a guard, so that it is known to reach what it can.
"""

import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml
from playwright.sync_api import Browser, Page, Response, expect

from tests.malformed_headers import UPGRADE, otherwise_answered, status
from tests.permissions import OPEN, open_to_others, with_umask

ROOT = Path(__file__).resolve().parents[3]
ATTACK = Path(__file__).with_name("attack.js").read_text(encoding="utf-8")
PATIENCE_MS = 60_000
REFUSED = {400, 401, 403, 421}
NAMES = {"prefect": "DNS_PREFECT_PORT", "mlflow": "DNS_MLFLOW_PORT", "query": "DNS_SERVE_PORT",
         "dashboard": "DNS_DASHBOARD_PORT"}  # fmt: skip
READS = {
    "prefect": ("/", "/ui-settings", "/api/health", "/api/admin/settings"),
    "mlflow": ("/", "/health", "/version", "/ajax-api/2.0/mlflow/experiments/search?max_results=9"),
    "query": ("/healthz", "/v1/index", "/v1/queries", "/openapi.json"),
    "dashboard": ("/", "/_stcore/health", "/_stcore/host-config"),
    "unguarded": ("/",),
}
WRITES = {
    "prefect": ("/api/flow_runs/", "/api/deployments/{deployment}/create_flow_run"),
    "mlflow": ("/api/2.0/mlflow/experiments/create", "/ajax-api/3.0/mlflow/assistant/message"),
    "query": ("/v1/queries", "/v1/labels", "/v1/index/reload"),
    "dashboard": ("/_stcore/upload_file/a/b",),
    "unguarded": ("/",),
}
SOCKETS = {
    "prefect": ("/api/events/in", "/api/events/out", "/api/logs/out"),
    "mlflow": (),
    "query": ("/",),
    "dashboard": ("/_stcore/stream",),
    "unguarded": (),
}
ARGUMENTS = [
    "--host-resolver-rules=MAP evil.test 127.0.0.1,MAP rebound.test 127.0.0.1",
    # What this browser adds of its own may not be what holds.
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
]


class _Unguarded(BaseHTTPRequestHandler):
    """Answers every origin, as Prefect does by default."""

    asked: list[str] = []  # noqa: RUF012 - one for all requests, of one test

    def do_GET(self) -> None:
        self.asked.append(self.command)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        for name in ("Origin", "Methods", "Headers"):
            self.send_header(f"Access-Control-Allow-{name}", "*")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")

    do_POST = do_PUT = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - names of http.server

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def unguarded() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Unguarded) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def root(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with an index, and one quick stage."""
    root = tmp_path_factory.mktemp("trust") / "workspace"
    shutil.copytree(workspace, root)
    (root / "flows").symlink_to(ROOT / "flows", target_is_directory=True)
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    stage = {"cmd": "cp given.txt first.txt", "deps": ["given.txt"], "outs": ["first.txt"]}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"first": stage}}))
    (root / "given.txt").write_text("good")
    shutil.copy(ROOT / "params.yaml", root)
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    content["deployments"] = [row for row in content["deployments"] if row["name"] == "reproduce"]
    (root / "prefect.yaml").write_text(yaml.safe_dump(content))
    return root


@dataclass(frozen=True)
class Platform:
    """What `dns up` started in a workspace, and somebody who knows its password."""

    root: Path
    ports: dict[str, int]
    password: tuple[str, str]
    prefect: httpx.Client
    deployment: str

    def state(self) -> Any:
        """All that an attack could have changed."""
        with httpx.Client(timeout=30, trust_env=False) as http:
            mlflow = f"http://127.0.0.1:{self.ports['mlflow']}/api/2.0/mlflow/experiments/search"
            query = f"http://127.0.0.1:{self.ports['query']}/v1"
            return (
                self.prefect.post("/flow_runs/count", json={}).json(),
                http.get(mlflow, params={"max_results": 9}, auth=self.password).json(),
                http.get(f"{query}/queries").json(),
                http.get(f"{query}/labels").json(),
                http.get(f"{query}/index").json(),
                (self.root / "owned").exists(),
            )


class _Patient(httpx.HTTPTransport):
    """Asks again while a server is busy, as Prefect's own client does: SQLite has one writer at a time."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(60):
            response = super().handle_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            response.close()
            time.sleep(0.5)
        return response


@pytest.fixture(scope="module")
def platform(
    root: Path, platform_up: Callable[[Path], AbstractContextManager[dict[str, str]]]
) -> Iterator[Platform]:
    with with_umask(OPEN), platform_up(root) as given:  # the worst that a user can have
        ports = {name: int(given[variable]) for name, variable in NAMES.items()}
        user, _, secret = (root / ".platform" / "password").read_text().strip().partition(":")
        address = f"http://127.0.0.1:{ports['prefect']}/api"
        with httpx.Client(base_url=address, auth=(user, secret), timeout=60, transport=_Patient()) as prefect:
            (found,) = prefect.post("/deployments/filter", json={}).json()
            yield Platform(root, ports, (user, secret), prefect, str(found["id"]))


@pytest.fixture(scope="module")
def victim(launch: Callable[..., Browser]) -> Iterator[Browser]:
    """A Chromium that resolves the names of other sites to this machine."""
    started = launch(*ARGUMENTS)
    yield started
    started.close()


def attack(page: Page, name: str, base: str, deployment: str = "") -> tuple[list[str], set[int]]:
    """What the page got from a server, and the statuses of what it was answered."""
    body = {
        "name": "owned", "parameters": {}, "experiment_id": "0", "query_id": "a", "video_id": "b",
        "job_variables": {"command": "touch owned"}, "verdict": "match", "message": "hi",
        "state": {"type": "SCHEDULED"}, "work_pool_name": "cpu", "video": {"video_id": "database-000.mp4"},
    }  # fmt: skip
    writes = [path.format(deployment=deployment) for path in WRITES[name]]
    target = {
        "base": base, "reads": READS[name], "writes": writes, "sockets": SOCKETS[name], "body": body,
    }  # fmt: skip
    statuses: set[int] = set()

    def seen(response: Response) -> None:
        if response.url.startswith(base) and not response.url.endswith("/attack"):
            statuses.add(response.status)

    page.on("response", seen)
    got: list[str] = page.evaluate(ATTACK, target)
    return got, statuses


@pytest.fixture(params=["evil", "other port", "rebound"])
def attacker(request: pytest.FixtureRequest, victim: Browser) -> Iterator[Callable[[int], tuple[Page, str]]]:
    """Opens a page of another origin, and says by which address it asks the server of a port.

    One page is another site's, one is that of another program of this machine, and one had its own name,
    once it was open, resolve to this machine.
    """
    context = victim.new_context()

    def opened(port: int) -> tuple[Page, str]:
        own, asked = {
            "evil": ("http://evil.test:8001", f"http://127.0.0.1:{port}"),
            "other port": ("http://127.0.0.1:8001", f"http://127.0.0.1:{port}"),
            "rebound": (f"http://rebound.test:{port}", f"http://rebound.test:{port}"),
        }[request.param]
        page = context.new_page()
        html = "<!doctype html><title>cats</title><body>cats"
        page.route(f"{own}/attack", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(f"{own}/attack")
        return page, asked

    yield opened
    context.close()


def test_the_attack_reaches_a_server_without_a_guard(
    attacker: Callable[[int], tuple[Page, str]], unguarded: int
) -> None:
    _Unguarded.asked.clear()
    page, base = attacker(unguarded)
    got, statuses = attack(page, "unguarded", base)
    assert statuses == {200}
    assert {line.partition(" /")[0] for line in got} >= {"GET", "simple POST", "preflighted PUT", "DELETE"}
    assert len(_Unguarded.asked) > 10


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_another_site_reads_and_changes_nothing(
    attacker: Callable[[int], tuple[Page, str]], name: str, platform: Platform
) -> None:
    before = platform.state()
    page, base = attacker(platform.ports[name])
    got, statuses = attack(page, name, base, platform.deployment)
    assert got == []
    assert statuses
    assert statuses <= REFUSED
    assert platform.state() == before


def test_a_run_cannot_say_what_command_a_worker_runs(
    platform: Platform, wait_until: Callable[..., None]
) -> None:
    prefect, owned = platform.prefect, platform.root / "owned"
    hostile = {
        "command": f"touch {owned}", "env": {"DNS_DEVICE": "no such"}, "env.DNS_DEVICE": "no such",
        "working_dir": str(platform.root.parent), "name": "x", "labels": {"a": "b"},
    }  # fmt: skip
    asked = {"job_variables": hostile, "state": {"type": "SCHEDULED"}}
    made = prefect.post(f"/deployments/{platform.deployment}/create_flow_run", json=asked)
    assert made.is_success, made.text
    run = f"/flow_runs/{made.json()['id']}"

    def over() -> bool:
        return str(prefect.get(run).json()["state_type"]) in ("COMPLETED", "FAILED", "CRASHED")

    wait_until(over, within_s=120)
    assert prefect.get(run).json()["state_type"] == "COMPLETED"
    assert (platform.root / "first.txt").read_text() == "good"
    assert not owned.exists()


def test_the_password_is_the_users_alone_and_in_no_argument_or_log(platform: Platform) -> None:
    folder, secret = platform.root / ".platform", platform.password[1]
    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
    for process in psutil.process_iter(["cmdline"]):
        assert not any(secret in word for word in process.info["cmdline"] or ())
    logs = list((folder / "logs").iterdir())
    assert logs
    assert [log for log in logs if secret in log.read_text(errors="replace")] == []


def test_what_the_platform_writes_is_the_users_alone_with_any_umask(platform: Platform) -> None:
    service = f"http://127.0.0.1:{platform.ports['query']}"
    video = next((platform.root / "data/test/queries").glob("*.mp4"))
    with video.open("rb") as file:
        sent = httpx.post(f"{service}/v1/queries", files={"video": file}, timeout=60, trust_env=False)
    assert sent.is_success, sent.text
    folder = platform.root / ".platform"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert names >= {
        "logs/query.log", "logs/supervisord.log", "mlflow.db", "password", "prefect/prefect.db",
        "service/queries", "service/records.db", "services/query.json", "supervisord.conf", "sv.sock",
    }  # fmt: skip
    assert open_to_others(folder) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_malformed_host_or_origin_is_400(platform: Platform, name: str) -> None:
    port = platform.ports[name]
    assert otherwise_answered(port) == {}
    for path in SOCKETS[name]:
        assert status(port, f"Host: 127.0.0.1:{port}:1\r\n{UPGRADE}", path) == 400
        assert status(port, f"Host: evil.example\r\n{UPGRADE}", path) == 421


def test_mlflows_own_pages_work_with_the_password_alone(victim: Browser, platform: Platform) -> None:
    address, (user, secret) = f"http://127.0.0.1:{platform.ports['mlflow']}", platform.password
    assert httpx.get(address, trust_env=False).status_code == 401
    page = victim.new_page(http_credentials={"username": user, "password": secret})
    page.goto(address)
    expect(page.get_by_text("distill-and-select").first).to_be_visible(timeout=PATIENCE_MS)
    page.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_prefects_own_pages_work_with_the_password_alone(
    victim: Browser, platform: Platform, host: str
) -> None:
    page = victim.new_page()
    page.goto(f"http://{host}:{platform.ports['prefect']}/deployments")
    page.locator("input").first.fill(":".join(platform.password))
    page.keyboard.press("Enter")
    expect(page.get_by_text("reproduce").first).to_be_visible(timeout=PATIENCE_MS)
    page.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_dashboard_works(victim: Browser, platform: Platform, host: str) -> None:
    page = victim.new_page()
    page.goto(f"http://{host}:{platform.ports['dashboard']}/")
    expect(page.get_by_text("Query service: ready").first).to_be_visible(timeout=PATIENCE_MS)
    page.close()
