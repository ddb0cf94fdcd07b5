"""What a run says of its own origin."""

from pathlib import Path

import pytest

from dns_core.errors import CorruptArtefactError
from dns_ops.provenance import data_version

LOCK = b"""schema: '2.0'
stages:
  probe_videos:
    deps:
    - {path: data/train, md5: 0a.dir}
    - {path: dns_core/video, md5: 0b.dir}
"""


def test_the_version_of_the_data_is_that_of_the_videos_alone(tmp_path: Path) -> None:
    assert data_version(tmp_path) == ""
    lock = tmp_path / "dvc.lock"
    lock.write_bytes(LOCK)
    version = data_version(tmp_path)
    lock.write_bytes(LOCK.replace(b"0b", b"0c"))
    assert data_version(tmp_path) == version != ""
    lock.write_bytes(LOCK.replace(b"0a", b"0c"))
    assert data_version(tmp_path) != version


@pytest.mark.parametrize(
    "content", [LOCK.replace(b"0a", b"\xff"), LOCK.replace(b"stages", b"stagez"), b"[", b""]
)
def test_a_damaged_lock_is_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "dvc.lock").write_bytes(content)
    with pytest.raises(CorruptArtefactError, match=r"dvc\.lock: expected what DVC has run"):
        data_version(tmp_path)
