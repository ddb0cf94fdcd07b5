"""Untrusted input: each gets its message, nothing is kept, and the service keeps answering."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from dns_apps.service.client import Client
from dns_apps.service.client_errors import RequestRefusedError, ServiceUnreachableError
from tests.malformed_headers import UPGRADE, otherwise_answered, status


def text(path: Path) -> None:
    path.write_text("no video at all\n" * 40)


def page(path: Path) -> None:
    path.write_text("<html><script>alert(1)</script></html>")


def nothing(path: Path) -> None:
    path.touch()


def truncated(path: Path) -> None:
    whole = path.with_name("whole.mp4")
    with av.open(str(whole), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(16):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    path.write_bytes(whole.read_bytes()[:200])


def wide(path: Path) -> None:
    """A hundred bytes that ask for frames of 900 million pixels."""
    path.write_bytes(b"YUV4MPEG2 W30000 H30000 F1:1 C420jpeg\nFRAME\n" + bytes(60))


def large(path: Path) -> None:
    """A few kilobytes with frames over this service's limit."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = 2048, 1024, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(2048, 1024, "yuv420p")))
        container.mux(stream.encode(None))


def long(path: Path) -> None:
    """Four pictures shown for days."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=1, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frames = [av.VideoFrame(64, 48, "yuv420p") for _ in range(4)]
        for packet in [p for frame in (*frames, None) for p in stream.encode(frame)]:
            packet.pts, packet.dts = (packet.pts or 0) * 100_000, (packet.dts or 0) * 100_000
            container.mux(packet)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (text, "not_a_video"),
        (page, "not_a_video"),
        (nothing, "empty"),
        (truncated, "corrupt"),
        (wide, "not_a_video"),
        (large, "too_large"),
        (long, "too_large"),
    ],
)
def test_a_file_that_is_no_usable_video_is_refused_with_its_reason(
    client: Client, service: Any, tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    path, before = tmp_path / "upload.mp4", service.kept
    make(path)
    with pytest.raises(RequestRefusedError) as refused:
        client.query_file(path)
    problem = refused.value.problem
    assert (problem.status, problem.reason) == (422, reason), problem
    assert str(service.root) not in problem.detail
    assert service.kept == before


def test_an_upload_that_says_it_is_too_large_is_not_even_read(service: Any) -> None:
    head = (
        "POST /v1/queries HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {5 << 30}\r\n\r\n"
    )
    host, _, port = service.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as sender:
        sender.sendall(head.encode())
        reply = ""
        while "}" not in reply:
            reply += sender.recv(65536).decode()
    assert reply.startswith("HTTP/1.1 413 ")
    assert '"reason":"too_large"' in reply


def test_an_upload_that_turns_out_too_large_is_cut_off(client: Client, service: Any) -> None:
    before = service.kept

    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="video"; filename="v.mp4"\r\n\r\n'
        for _ in range(64):
            yield bytes(1 << 17)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with service.http() as http:
        reply = http.post("/v1/queries", content=body(), headers=headers)
    assert (reply.status_code, reply.json()["reason"]) == (413, "too_large")
    assert service.kept == before
    assert client.readiness().ready


def test_an_upload_that_breaks_off_leaves_nothing(client: Client, service: Any) -> None:
    before = service.kept
    host, _, port = service.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as sender:
        sender.sendall(
            b"POST /v1/queries HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
            b"--x\r\nContent-Disposition: form-data; name="
        )
    assert client.readiness().ready
    assert service.kept == before


def test_a_request_that_breaks_off_is_no_defect(service: Any, caplog: pytest.LogCaptureFixture) -> None:
    port = int(service.url.rpartition(":")[2])
    broken = 'dns_requests_total{method="POST",route="/v1/queries",status="400"}'

    def counted() -> str:
        with service.http() as http:
            return "".join(line for line in http.get("/metrics").text.splitlines() if broken in line)

    before = counted()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sender:
        head = "POST /v1/queries HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        sender.sendall(f'{head}Content-Length: 1000\r\n\r\n{{"video'.encode())
    deadline = time.monotonic() + 30
    while counted() == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert counted() != before
    assert [record.message for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"budget": "3"}, 422, "share"),
        ({"budget": "soon"}, 422, "budget"),
        ({"budget": "0ms"}, 422, "milliseconds"),
        ({"top_k": "0"}, 422, "top_k"),
        ({"threshold": "nan"}, 422, "threshold"),
        ({"fine": "teacher"}, 422, "fine"),
        ({"depth": "3"}, 422, "depth"),
    ],
)
def test_an_option_out_of_range_is_named(
    service: Any, excerpt: Path, form: dict[str, str], status: int, words: str
) -> None:
    before = service.kept
    with service.http() as http:
        reply = http.post("/v1/queries", data=form, files={"video": excerpt.read_bytes()})
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert words in reply.json()["detail"]
    assert service.kept == before


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"data": {"top_k": "1"}, "files": {"other": b"x"}}, 422),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}}, 400),
        ({"content": b"video", "headers": {"Content-Type": "video/mp4"}}, 415),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422),
        ({"json": {"video": {"video_id": "harbour.mp4", "start_s": 5, "stop_s": 4}}}, 422),
        ({"json": {"video": {"video_id": "nothing.mp4"}}}, 404),
        ({"json": {"video": {"video_id": "../../etc/passwd"}}}, 404),
        ({"json": [0] * 600_000}, 413),
    ],
)
def test_a_request_that_is_none_is_refused(service: Any, parts: dict[str, Any], status: int) -> None:
    with service.http() as http:
        reply = http.post("/v1/queries", **parts)
    assert reply.status_code == status, reply.text
    assert reply.json()["status"] == status


@pytest.mark.parametrize(
    "video_id",
    [
        "../../../etc/passwd",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "..%2f..%2fetc%2fpasswd",
        "harbour.mp4%00.jpg",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "a" * 3000,
    ],
)
@pytest.mark.parametrize("what", ["", "/file", "/thumbnail", "/preview?stop_s=1"])
def test_no_path_leads_out_of_the_library(service: Any, video_id: str, what: str) -> None:
    host, _, port = service.url.removeprefix("http://").partition(":")
    target = f"/v1/videos/{video_id}{what}".replace(" ", "%20")
    # By hand: clients tidy paths up before they send them.
    with socket.create_connection((host, int(port)), timeout=10) as sender:
        sender.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        reply = b"".join(iter(lambda: sender.recv(65536), b"")).decode()
    assert reply.split(" ", 2)[1] in ("404", "422"), reply
    assert "root:" not in reply


def test_a_link_out_of_the_library_is_not_followed(
    run: Any, built: Path, videos: Path, tmp_path: Path
) -> None:
    video_folders, secret = tmp_path / "library", tmp_path / "secret.mp4"
    video_folders.mkdir()
    secret.write_bytes((videos / "harbour.mp4").read_bytes())
    (video_folders / "harbour.mp4").symlink_to(secret)
    with run(tmp_path, index=str(built), videos=str(video_folders)) as one, one.http() as http:
        assert http.get("/v1/videos/harbour.mp4").json()["playable"] is False
        assert http.get("/v1/files/harbour.mp4").status_code == 404
        assert http.get("/v1/index/candidates").json()["items"] == []


def test_a_name_with_markup_is_data(client: Client, service: Any, excerpt: Path) -> None:
    query = client.query_file(excerpt, name="<img src=x onerror='alert(1)'>\x1b[2J.mp4")
    assert query.name == "<img src=x onerror='alert(1)'>?[2J.mp4"
    with service.http() as http:
        reply = http.get(f"/v1/queries/{query.id}")
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in reply.headers["content-security-policy"]
        odd = http.get("/v1/videos", params={"search": "<b>"}).json()["items"]
        assert [row["id"] for row in odd] == ["<b>night & day</b>.mp4"]
        assert http.get("/v1/files/%3Cb%3Enight & day%3C/b%3E.mp4").status_code == 200


def test_pages_of_other_sites_can_ask_nothing(service: Any) -> None:
    with service.http() as http:
        assert http.get("/v1/index", headers={"Host": "evil.example"}).status_code == 421
        reply = http.post("/v1/index/reload", headers={"Origin": "https://evil.example"})
        assert reply.status_code == 403
        assert http.get("/v1/index", headers={"Host": "localhost:1"}).status_code == 200


def test_a_malformed_host_or_origin_is_400_and_a_problem(service: Any) -> None:
    port = int(service.url.rpartition(":")[2])
    assert otherwise_answered(port, "/v1/index") == {}
    own = f"Host: 127.0.0.1:{port}\r\n"
    assert status(port, f"Host: 127.0.0.1:{port}:1\r\n{UPGRADE}") == 400
    assert status(port, f"Host: evil.example\r\n{UPGRADE}") == 421
    assert status(port, f"{own}Origin: http://evil.example\r\n{UPGRADE}") == 403
    with service.http() as http:
        reply = http.get("/v1/index", headers={"Host": "user@127.0.0.1"})
        assert (
            reply.json()["detail"] == "Host: 'user@127.0.0.1': expected a name or address, and perhaps a port"
        )
        assert http.get("/v1/index", headers={"Host": f"127.0.0.1:{port}"}).status_code == 200


def test_addresses_that_are_none_are_problems_too(service: Any) -> None:
    with service.http() as http:
        for reply, status in ((http.get("/v2"), 404), (http.post("/v1/videos"), 405)):
            assert reply.status_code == status
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.json()["status"] == status


def test_what_is_no_query_service_is_unreachable() -> None:
    with (
        Client("http://127.0.0.1:9") as unreachable,
        pytest.raises(ServiceUnreachableError, match="no answer"),
    ):
        unreachable.index()

    def other(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"hello": "world"})

    client = Client("http://other")
    client._http = httpx.Client(base_url="http://other", transport=httpx.MockTransport(other))
    with client, pytest.raises(ServiceUnreachableError, match="expected the reply of a query service"):
        client.index()


def test_who_sends_far_too_much_is_told_and_not_cut_off(client: Client, service: Any, tmp_path: Path) -> None:
    path, before = tmp_path / "film.mp4", service.kept
    with path.open("wb") as file:
        file.truncate(256 << 20)  # takes no room on the disk
    # The rest is read and thrown away: a client that is cut off while it sends never sees the answer.
    with pytest.raises(RequestRefusedError, match="bytes") as refused:
        client.query_file(path)
    assert refused.value.problem.status == 413
    assert service.kept == before
