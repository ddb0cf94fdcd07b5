"""A Prefect server of these tests' own, and a small pipeline of shell commands."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = """
stages:
  first: {cmd: cp given.txt first.txt, deps: [given.txt], outs: [first.txt]}
  second:
    cmd: "grep -q good first.txt || { echo 'dns: it is bad' >&2; exit 2; }; cp first.txt second.txt"
    deps: [first.txt]
    outs: [second.txt]
  third: {cmd: cp second.txt third.txt, deps: [second.txt], outs: [third.txt]}
"""


@pytest.fixture(scope="session", autouse=True)
def _server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=240):
        yield


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of three stages; the working directory."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("DNS_TRACKING_URI", "off")
    root = tmp_path / "pipeline"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "given.txt").write_text("good")
    shutil.copy(ROOT / "params.yaml", root / "params.yaml")
    monkeypatch.chdir(root)
    return root
