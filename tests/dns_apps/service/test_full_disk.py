"""A disk that is really full, and has room again: a small file system of the test's own."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dns_apps.service.client import Client
from dns_apps.service.client_errors import ServiceFailedError
from dns_apps.service.schemas import StoredExcerpt

HARBOUR = StoredExcerpt(video_id="harbour.mp4")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A workspace of 16 MB."""
    root = tmp_path / "disk"
    root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(root)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may mount no file system")
    yield root
    subprocess.run(["umount", "--lazy", str(root)], check=True)


def fill(root: Path) -> Path:
    """The file that takes all room."""
    filler = root / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    return filler


@pytest.fixture(autouse=True)
def _ask_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dns_apps.service.probes._AGAIN_AFTER_S", 0.0)


def reads_and_refuses(client: Client, excerpt: Path) -> None:
    """What a service on a full disk does."""
    for _ in range(3):
        query = client.query_video(HARBOUR)
        assert query.state == "done"
        assert client.query(query.id) == query
    with pytest.raises(ServiceFailedError) as refused:
        client.query_file(excerpt)
    assert (refused.value.problem.status, refused.value.problem.reason) == (507, "full")
    with pytest.raises(ServiceFailedError) as refused:
        client.query_preview(query.id, 0, 2)
    assert refused.value.problem.status == 507
    state = client.readiness()
    assert (state.ready, state.limited) == (True, True)


def test_a_service_whose_disk_fills_answers_and_is_whole_when_there_is_room(
    run: Any, built: Path, videos: Path, excerpt: Path, disk: Path
) -> None:
    with run(disk, index=str(built), videos=str(videos), max_waiting=2) as one, one.client() as client:
        before = client.query_file(excerpt)
        filler = fill(disk)
        reads_and_refuses(client, excerpt)
        assert client.query(before.id) == before
        filler.unlink()
        assert not client.readiness().limited
        assert client.query_file(excerpt).state == "done"
        n_known = client.queries().total
    with run(disk, index=str(built), videos=str(videos)) as again, again.client() as client:
        assert client.queries().total == n_known


def test_a_service_starts_on_a_full_disk_and_is_whole_when_there_is_room(
    run: Any, built: Path, videos: Path, excerpt: Path, disk: Path
) -> None:
    with run(disk, index=str(built), videos=str(videos)) as one, one.client() as client:
        before = client.query_file(excerpt)
    filler = fill(disk)
    with run(disk, index=str(built), videos=str(videos)) as one, one.client() as client:
        reads_and_refuses(client, excerpt)
        assert client.query(before.id) == before
        filler.unlink()
        client.put_label(before.id, "folder/market.mp4", "copy")
        assert client.query_file(excerpt).state == "done"
        assert not client.readiness().limited
