"""What is made before services start side by side."""

from pathlib import Path

import pytest

from dns_ops.platform.services import make_store
from dns_ops.settings import Settings, platform_folder
from dns_ops.tracking.store import open_tracking


def test_the_store_of_runs_is_made_whole_and_once(tmp_path: Path) -> None:
    make_store(tmp_path, Settings())
    store = platform_folder(tmp_path) / "mlflow.db"
    made = store.stat().st_mtime_ns
    make_store(tmp_path, Settings())
    assert store.stat().st_mtime_ns == made
    assert open_tracking(tmp_path, Settings()).experiment_id


@pytest.mark.parametrize("uri", ["off", "http://127.0.0.1:9"])
def test_no_store_is_made_where_runs_are_kept_elsewhere(tmp_path: Path, uri: str) -> None:
    make_store(tmp_path, Settings(tracking_uri=uri))
    assert not platform_folder(tmp_path).exists()
