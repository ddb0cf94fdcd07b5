"""What ``make audit`` says, and how it ends, by what its tools answer."""

import json
import runpy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
KNOWN = {"id": "PYSEC-1", "fix_versions": ["2"]}
FINDING = {"filename": "a.py", "line_number": 3, "test_id": "B301", "issue_text": "pickle"}


Packages = list[dict[str, Any]] | None


@pytest.fixture
def audited(monkeypatch: pytest.MonkeyPatch) -> Callable[[Packages, list[dict[str, Any]]], int]:
    """Its exit status. Without an answer about packages, pip-audit fails as it does without a network."""

    def status(packages: Packages, findings: list[dict[str, Any]]) -> int:
        def run(command: Any, **_: Any) -> Any:
            if Path(command[0]).name == "bandit":
                totals = {"loc": 10, "nosec": 1, "skipped_tests": 0}
                said = json.dumps({"results": findings, "metrics": {"_totals": totals}})
                return subprocess.CompletedProcess(command, 0, said, "")
            if packages is None:
                return subprocess.CompletedProcess(command, 1, "", "Traceback ...\nConnectionError: no route")
            Path(command[-1]).write_text(json.dumps({"dependencies": packages}))
            return subprocess.CompletedProcess(command, 0, "", "")

        monkeypatch.setattr(subprocess, "run", run)
        return int(runpy.run_path(str(ROOT / ".ci" / "audit.py"))["main"]())

    monkeypatch.chdir(ROOT)
    return status


@pytest.mark.parametrize(
    ("packages", "findings", "expected"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], [], (0, "1 packages, 0 with known weaknesses")),
        ([{"name": "a", "version": "1", "vulns": [KNOWN]}], [], (1, "a 1: PYSEC-1, mended in 2")),
        ([{"name": "a", "version": "1", "vulns": []}], [FINDING], (1, "a.py:3: B301 pickle")),
        ([{"name": "a", "skip_reason": "?"}], [], (3, "not judged: 3 packages")),
        ([{"name": "a", "skip_reason": "?"}], [FINDING], (1, "not judged: 3 packages")),
        (None, [], (3, "none judged: ConnectionError: no route")),
        (None, [FINDING], (1, "a.py:3: B301 pickle")),
    ],
)
def test_it_ends_well_only_if_all_was_judged_and_nothing_found(
    audited: Any,
    capsys: pytest.CaptureFixture[str],
    packages: Packages,
    findings: Any,
    expected: tuple[int, str],
) -> None:
    status = audited(packages, findings)
    assert status == expected[0]
    assert expected[1] in capsys.readouterr().out
