"""What is kept in ``.platform`` is the user's alone, whatever the umask is and whoever writes there first."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dns_ops.pipeline.workspace_lock import workspace_lock
from dns_ops.platform.password import make_password
from dns_ops.platform.services import gpu_worker_environment
from dns_ops.settings import Settings, make_private_file
from dns_ops.tracking.log_socket import serve_run_logs
from dns_ops.tracking.store import open_tracking
from tests.permissions import OPEN, USUAL, open_to_others, with_umask


def lock(root: Path) -> None:
    with workspace_lock(root):
        assert open_to_others(root / ".platform") == []


def recorders(root: Path) -> None:
    with serve_run_logs(root, "run", lambda _: None):
        assert open_to_others(root / ".platform") == []


def store_of_runs(root: Path) -> None:
    assert open_tracking(root, Settings()).experiment_id


def prefect_home(root: Path) -> None:
    gpu_worker_environment(root, Settings())


@pytest.mark.parametrize("umask", [OPEN, USUAL])
@pytest.mark.parametrize("write", [lock, recorders, store_of_runs, prefect_home, make_password])
def test_it_is_the_users_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int, write: Callable[[Path], None]
) -> None:
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    monkeypatch.delenv("DNS_TRACKING_URI", raising=False)
    with with_umask(umask):
        write(tmp_path)
    assert list((tmp_path / ".platform").iterdir())
    assert open_to_others(tmp_path / ".platform") == []


def test_a_file_of_before_becomes_private_and_keeps_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("said")
    (tmp_path / "log").chmod(0o644)
    assert make_private_file(tmp_path / "log").read_text() == "said"
    assert open_to_others(tmp_path) == []
