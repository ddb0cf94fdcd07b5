"""Who sends slowly holds nothing that others need, and is cut off."""

import socket
import time
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from dns_apps.service.bodies import Pace
from dns_apps.service.schemas import StoredExcerpt

HEAD = (
    b"POST /v1/queries HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    b'--x\r\nContent-Disposition: form-data; name="video"; filename="v.mp4"\r\n\r\n'
)


def sender(service: Any) -> socket.socket:
    host, _, port = service.url.removeprefix("http://").partition(":")
    opened = socket.create_connection((host, int(port)), timeout=30)
    opened.sendall(HEAD)
    return opened


def test_forty_slow_uploads_cost_the_others_nothing(
    run: Any, built: Path, videos: Path, excerpt: Path, tmp_path: Path
) -> None:
    with (
        run(tmp_path, index=str(built), videos=str(videos), max_waiting=2) as one,
        one.client() as client,
        ExitStack() as slow,
    ):
        senders = [slow.enter_context(sender(one)) for _ in range(40)]
        for opened in senders:
            opened.sendall(b"a few bytes")
        began_s = time.monotonic()
        for _ in range(3):
            assert client.query_video(StoredExcerpt(video_id="harbour.mp4")).state == "done"
            assert client.query_file(excerpt).state == "done"
        assert time.monotonic() - began_s < 30
        assert one.context.query_jobs.n_live == 0


def test_a_body_that_is_too_slow_is_cut_off_and_leaves_nothing(
    run: Any, built: Path, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pace.__init__, "__defaults__", (0.5,))
    with run(tmp_path, index=str(built), videos=str(videos), min_bytes_per_s=1e6) as one:
        with sender(one) as opened:
            began_s = time.monotonic()
            reply = HTTPResponse(opened)
            reply.begin()
            assert '"reason":"slow"' in reply.read().decode()
        assert reply.status == 408
        assert time.monotonic() - began_s < 10
        assert one.kept == []


def test_one_address_has_so_many_uploads_at_a_time(
    run: Any, built: Path, videos: Path, tmp_path: Path
) -> None:
    with run(tmp_path, index=str(built), videos=str(videos), uploads_per_address=2) as one:
        with sender(one), sender(one):
            time.sleep(0.5)
            with sender(one) as third:
                assert third.recv(65536).startswith(b"HTTP/1.1 429 ")
            with one.http() as http:  # what brings no body is not counted
                assert http.get("/v1/queries").status_code == 200
        time.sleep(0.5)
        with one.http() as http:
            asked = {"video": {"video_id": "harbour.mp4"}}
            assert http.post("/v1/queries", json=asked).status_code == 200


def test_how_long_the_next_piece_may_take() -> None:
    pace = Pace(bytes_per_s=100, deadline_s=60, per_address=1, grace_s=10)
    assert pace.left_s(0, 0) == 10
    assert pace.left_s(1000, 15) == 5
    assert pace.left_s(10**9, 59) == 1
