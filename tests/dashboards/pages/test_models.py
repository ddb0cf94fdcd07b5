"""The page Models: versions, gates and history."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.data import records
from dns_ops.releases.decisions import record_decision
from dns_ops.releases.registry import BundleVersion

Opened = Callable[..., AppTest]
Texts = Callable[[AppTest], str]

GATE = {"name": "coverage", "passed": False, "expected": "at least 1", "found": "0.9"}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    versions = [
        BundleVersion(n, f"{n}" * 16, "d" * 16, "c" * 40, "", ("challenger",) if n == 2 else ())
        for n in (2, 1)
    ]
    monkeypatch.setattr(records, "versions", lambda: versions)
    monkeypatch.setattr(records, "stage_runs", lambda _: [])
    shutil.copy(Path(__file__).resolve().parents[3] / "params.yaml", workspace / "params.yaml")
    row = {"action": "refused", "version": 2, "before": 1, "after": 1, "reason": "", "gates": [GATE]}
    record_decision(workspace, "ann", row)


@pytest.mark.usefixtures("fake", "registered")
def test_versions_gates_and_history_are_shown(opened: Opened) -> None:
    app = opened("models")
    assert not app.exception
    assert [metric.value for metric in app.metric] == ["none", "v2", "2"]
    frames = [frame.value for frame in app.dataframe]
    assert frames[0]["version"].tolist() == [2, 1]
    assert any("gate" in frame and frame["gate"].tolist() == ["coverage"] for frame in frames)
    assert any("who" in frame and frame["who"].tolist() == ["ann"] for frame in frames)
    assert app.button(key="rollback").disabled


@pytest.mark.usefixtures("fake")
def test_without_a_bundle_the_page_says_how_to_train_one(
    opened: Opened, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "versions", list)
    app = opened("models")
    assert not app.exception
    assert "dns reproduce" in texts(app)
