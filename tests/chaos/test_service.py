"""What happens around a query service costs the queries that it hits at most, and is over when it is over."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dns_apps.service.client_errors import ServiceError
from dns_apps.service.schemas import StoredExcerpt
from tests.chaos.conftest import LONG, fill

pytestmark = pytest.mark.chaos

HARBOUR = StoredExcerpt(video_id="harbour.mp4")
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
DAY_S = 86_400
only_long = pytest.mark.skipif(not LONG, reason="takes minutes: make chaos")


def answers(one: Any, excerpt: Path) -> float:
    """Seconds until both kinds of query are answered again."""
    began_s = time.monotonic()
    while True:
        try:
            with one.client() as client:
                if client.query_video(HARBOUR).state == client.query_file(excerpt, wait_s=60).state == "done":
                    return time.monotonic() - began_s
        except ServiceError:
            assert time.monotonic() < began_s + 120, one.said[-2000:]
            time.sleep(0.2)


def is_clean(one: Any) -> None:
    """No traceback in the log, no query held, no file forgotten."""
    assert "Traceback" not in one.said, one.said[-3000:]
    with one.client() as client:
        known = client.queries(limit=200).items
        assert [row.state for row in known if row.state in ("queued", "running")] == []


def request_of(excerpt: Path, port: int) -> bytes:
    """An upload, byte for byte."""
    head = (
        b'--x\r\nContent-Disposition: form-data; name="video"; filename="v.mp4"\r\n\r\n'
        + excerpt.read_bytes()
    )
    body = head + b"\r\n--x--\r\n"
    return (
        f"POST /v1/queries HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    ).encode() + body


@pytest.mark.timeout(600)
def test_a_client_that_leaves_is_no_traceback_and_holds_nothing(
    tmp_path: Path, serve: Any, excerpt: Path, note: Callable[..., None], chance: Random
) -> None:
    with serve(tmp_path / "workspace", max_waiting=4) as one:
        port = int(one.url.rpartition(":")[2])
        sent = request_of(excerpt, port)
        paths = ("/v1/videos/harbour.mp4", "/v1/previews/harbour.mp4?stop_s=9", "/v1/index/groups", "/readyz")
        for number in range(60 if LONG else 12):
            whole = sent if number % 2 else f"GET {chance.choice(paths)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            whole = whole.replace(b"Host: x", f"Host: 127.0.0.1:{port}".encode())
            with socket.create_connection(("127.0.0.1", port)) as opened:
                if number % 3 == 0:  # reset, and not closed as it should be
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                opened.sendall(whole[: chance.randrange(1, len(whole) + 1)])
                time.sleep(chance.choice((0, 0.01, 0.2)))
            if number % 6 == 5:
                time.sleep(1)
                note("client leaves", recovered_s=answers(one, excerpt))
        deadline = time.monotonic() + 60
        with one.client() as client:
            while any(row.state in ("queued", "running") for row in client.queries(limit=200).items):
                assert time.monotonic() < deadline
                time.sleep(0.2)
        is_clean(one)


@only_long
@pytest.mark.timeout(600)
def test_a_stopped_process_costs_its_own_query(
    tmp_path: Path, serve: Any, excerpt: Path, note: Callable[..., None], chance: Random
) -> None:
    with serve(tmp_path / "workspace", decode_timeout_s=3) as one, one.client() as client:
        for _ in range(5 if LONG else 1):
            decoders = [p for p in one.process.children(recursive=True) if p.children() == []]
            for decoder in decoders:
                decoder.suspend()
            began_s = time.monotonic()
            query = client.finished_query(client.query_file(excerpt, wait_s=0).id, timeout_s=60)
            lost = query.state == "failed" and query.problem is None
            answers(one, excerpt)
            note("SIGSTOP: all decoders", lost=lost, recovered_s=time.monotonic() - began_s)
        for _ in range(5 if LONG else 1):
            waiting = threading.Thread(target=answers, args=(one, excerpt))
            one.process.suspend()
            waiting.start()
            time.sleep(chance.uniform(0.1, 2))
            one.process.resume()
            waiting.join()
            note("SIGSTOP: query service", recovered_s=answers(one, excerpt))
        is_clean(one)


def refuses_uploads_alone(one: Any, excerpt: Path) -> None:
    with one.client() as client:
        for _ in range(3):
            assert client.query_video(HARBOUR).state == "done"
            with pytest.raises(ServiceError, match="full"):
                client.query_file(excerpt, wait_s=60)


@pytest.mark.timeout(600)
def test_a_disk_that_fills_costs_uploads_alone(
    tmpfs: Any, serve: Any, excerpt: Path, note: Callable[..., None], chance: Random
) -> None:
    disk = tmpfs(24 << 20)
    with serve(disk / "workspace") as one:
        for _ in range(8 if LONG else 1):
            answers(one, excerpt)
            filler = fill(disk, leave=chance.choice((0, 0, 4096, 60_000)))
            refuses_uploads_alone(one, excerpt)
            filler.unlink()
            note("full disk: queries", recovered_s=answers(one, excerpt))
        is_clean(one)


@only_long
@pytest.mark.timeout(600)
def test_a_database_that_is_read_only_costs_uploads_alone(
    tmpfs: Any, serve: Any, excerpt: Path, note: Callable[..., None]
) -> None:
    disk = tmpfs(24 << 20)
    with serve(disk / "workspace") as one:
        answers(one, excerpt)
    for _ in range(3 if LONG else 1):
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with serve(disk / "workspace") as one:
            refuses_uploads_alone(one, excerpt)
            subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
            note("read-only database: queries", recovered_s=answers(one, excerpt))
            is_clean(one)


@only_long
@pytest.mark.timeout(600)
@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
def test_a_clock_that_is_set_is_survived(
    tmp_path: Path, serve: Any, excerpt: Path, note: Callable[..., None], chance: Random
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    preload = {
        "LD_PRELOAD": FAKETIME,
        "FAKETIME_TIMESTAMP_FILE": clock,
        "FAKETIME_NO_CACHE": 1,
        "FAKETIME_DONT_FAKE_MONOTONIC": 1,
    }
    with serve(tmp_path / "workspace", **preload) as one, one.client() as client:
        asked: list[str] = []
        for _ in range(6 if LONG else 1):
            for kind, sign in (("back", -1), ("forward", 1)):
                began_s = time.monotonic()
                asked.append(client.query_file(excerpt, wait_s=0).id)
                clock.write_text(f"{sign * chance.randrange(60, 400 * DAY_S):+d}")
                asked.append(client.query_file(excerpt, wait_s=0).id)
                states = [client.finished_query(query_id, timeout_s=60).state for query_id in asked]
                lost = sum(state != "done" for state in states)
                note(f"clock set {kind}: queries", lost=lost, recovered_s=time.monotonic() - began_s)
        listed = [row.id for row in client.queries(limit=200).items]
        assert set(asked) <= set(listed)
        is_clean(one)


@only_long
@pytest.mark.timeout(600)
def test_killed_decoders_are_replaced(
    tmp_path: Path, serve: Any, excerpt: Path, note: Callable[..., None]
) -> None:
    with serve(tmp_path / "workspace") as one, one.client() as client:
        for _ in range(6 if LONG else 1):
            query = client.query_file(excerpt, wait_s=0)
            for child in one.process.children(recursive=True):
                os.kill(child.pid, signal.SIGKILL)
            state = client.finished_query(query.id, timeout_s=60).state
            note(
                "kill -9: all decoders",
                lost=state not in ("done", "failed"),
                recovered_s=answers(one, excerpt),
            )


@only_long
@pytest.mark.timeout(600)
def test_two_services_of_one_workspace_answer_side_by_side(
    tmp_path: Path, serve: Any, excerpt: Path, note: Callable[..., None]
) -> None:
    root = tmp_path / "workspace"
    with serve(root) as one, serve(root) as other:
        found: list[float] = []
        threads = [
            threading.Thread(target=lambda each=each: found.append(answers(each, excerpt)))
            for each in (one, other) * (4 if LONG else 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        note("two at once: query services", lost=len(threads) - len(found), recovered_s=max(found))
        is_clean(one)
