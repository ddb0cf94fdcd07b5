"""Flows and models in a real browser, over Prefect's server, its worker and the query service as they run."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Locator, Page, expect

from dns_apps.service.client import Client
from dns_core.evaluation.gates import GateLimits
from dns_core.ports import SilentProgress
from dns_core.retrieval.bundle import SHIPPED_MODELS
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.releases.decisions import Request, promotions
from dns_ops.releases.promotion import promote
from dns_ops.releases.registry import register_bundle
from dns_ops.releases.release import champion
from dns_ops.settings import Settings, platform_folder
from dns_ops.tracking.store import open_tracking
from tests.permissions import open_to_others

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_MS = 60_000
LIMITS = {"budget": 0.3, "map_tolerance": 0.01, "p95_query_s": 600, "bytes_per_video": 10_000_000}
"""Whether a machine is fast is not what is asked here."""
PIPELINE = {
    "stages": {
        "first": {"cmd": "cp given.txt first.txt", "deps": ["given.txt"], "outs": ["first.txt"]},
        "second": {
            "cmd": "while ! test -e go; do sleep 0.2; done; cp first.txt second.txt",
            "deps": ["first.txt"],
            "outs": ["second.txt"],
        },
    }
}

OpenPage = Callable[[str], AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def platform(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of two quick stages, with a champion and a challenger of it."""
    root = tmp_path_factory.mktemp("platform") / "workspace"
    shutil.copytree(workspace, root)
    (root / "flows").symlink_to(ROOT / "flows", target_is_directory=True)
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (root / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE))
    (root / "given.txt").write_text("good")
    _write_deployments(root)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["evaluate"]["gates"] = LIMITS
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    quality = root / "artifacts" / "quality"
    quality.mkdir(parents=True)
    (quality / "validate_data.json").write_text(
        json.dumps({"name": "validate_data", "success": True, "suites": []})
    )
    _make_two_bundles(root)
    return root


def _write_deployments(root: Path) -> None:
    """Those that are started here; registering all of them takes its time."""
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    wanted = ("reproduce", "promote", "rollback")
    content["deployments"] = [row for row in content["deployments"] if row["name"] in wanted]
    (root / "prefect.yaml").write_text(yaml.safe_dump(content))


def _make_two_bundles(root: Path) -> None:
    """The first is the champion, with an index that answers; the second is the challenger."""
    settings = Settings(tracking_uri=store(root))
    tracking = open_tracking(root, settings)
    for number in (1, 2):
        models = shutil.copytree(SHIPPED_MODELS, root / "registered" / str(number) / "models")
        (models / "README.md").write_text(f"number {number}")
        with reproduction(root, settings, {}) as run_id:
            register_bundle(root, models, tracking, run_id)
        if number == 1:
            promote(root, tracking, Request(who="ann"), GateLimits(**LIMITS), SilentProgress())


def store(root: Path) -> str:
    """MLflow's store of the workspace."""
    folder = platform_folder(root).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'mlflow.db'}"


@pytest.fixture(scope="module")
def ports(
    platform: Path, platform_up: Callable[[Path], AbstractContextManager[dict[str, str]]]
) -> Iterator[dict[str, str]]:
    """Where the servers of the workspace listen, while they run."""
    with platform_up(platform) as given:
        yield given


@pytest.fixture
def page(open_page: OpenPage, ports: dict[str, str]) -> Iterator[Page]:
    with open_page(f"http://127.0.0.1:{ports['DNS_DASHBOARD_PORT']}") as page:
        page.set_default_timeout(PATIENCE_MS)
        yield page


def badge(page: Page, state: str) -> Locator:
    return page.locator(".st-key-followed-run p", has_text=re.compile(f"{state}$")).first


def test_a_flow_is_triggered_cancelled_retried_and_seen_to_finish(
    page: Page, platform: Path, wait_until: Callable[..., None]
) -> None:
    page.goto("/flows")
    page.get_by_role("combobox", name="Flow").first.click()
    page.get_by_role("option", name="reproduce").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(badge(page, "Running")).to_be_visible(timeout=PATIENCE_MS)
    wait_until((platform / "first.txt").exists, within_s=60)
    page.get_by_role("button", name="Cancel").click()
    expect(badge(page, "Cancelled")).to_be_visible(timeout=PATIENCE_MS)
    assert not (platform / "second.txt").exists()
    (platform / "go").touch()
    page.get_by_role("button", name="Retry").click()
    expect(badge(page, "Completed")).to_be_visible(timeout=PATIENCE_MS)
    assert (platform / "second.txt").read_text() == "good"
    assert page.url.count("run=") == 1


def test_what_the_platform_keeps_is_the_users_alone(platform: Path, ports: dict[str, str]) -> None:
    """Under the usual umask; files of runs have it, in a folder that others cannot enter."""
    assert ports
    folder = platform / ".platform"
    assert (folder / "mlflow-artifacts").stat().st_mode & 0o777 == 0o700
    assert [line for line in open_to_others(folder) if " mlflow-artifacts/" not in line] == []


def test_a_model_is_promoted_and_rolled_back(page: Page, platform: Path, ports: dict[str, str]) -> None:
    assert champion(platform) == 1
    page.goto("/models")
    page.get_by_role("button", name="Promote …").click()
    page.get_by_role("dialog").get_by_role("button", name="Promote v2").click()
    expect(badge(page, "Completed")).to_be_visible(timeout=PATIENCE_MS)
    assert champion(platform) == 2
    assert [gate["passed"] for gate in promotions(platform)[-1]["gates"]].count(False) == 0

    page.get_by_role("button", name="Roll back …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Roll back").click()
    expect(dialog.get_by_text("with its reason; none was given")).to_be_visible(timeout=PATIENCE_MS)
    dialog.get_by_label("Reason").fill("worse on excerpts")
    dialog.get_by_label("Reason").press("Tab")
    dialog.get_by_role("button", name="Roll back").click()
    expect(page.locator(".st-key-followed-run")).to_contain_text("rollback", timeout=PATIENCE_MS)
    expect(badge(page, "Completed")).to_be_visible(timeout=PATIENCE_MS)
    last = promotions(platform)[-1]
    assert (champion(platform), last["action"], last["reason"]) == (1, "rolled back", "worse on excerpts")
    with Client(f"http://127.0.0.1:{ports['DNS_SERVE_PORT']}") as client:
        assert client.reload_index().healthy
