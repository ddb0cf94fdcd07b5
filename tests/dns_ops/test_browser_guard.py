"""Which requests a server of this machine reads, by their headers; a real browser tries it in tests/e2e."""

import base64
from typing import Any

import pytest

from dns_ops.browser_guard import BrowserGuard, Refusal, Visitors, host_names, is_local
from tests.malformed_headers import HOSTS, ORIGINS

PORT = 4200
OWN = f"127.0.0.1:{PORT}"
PASSWORD = "dns:secret"  # noqa: S105 - of no server
LINK = {
    "Host": OWN, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
}  # fmt: skip


def scope(
    headers: dict[str, str], kind: str = "http", method: str = "GET", path: str = "/"
) -> dict[str, Any]:
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {
        "type": kind, "method": method, "path": path, "headers": pairs, "server": ("127.0.0.1", PORT),
    }  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": OWN},
        {"Host": f"localhost:{PORT}"},
        {"Host": f"[::1]:{PORT}"},
        {"Host": f"LocalHost:{PORT}"},
        {"Host": "[0:0::1]"},
        {"Host": "127.0.0.1:"},
        {"Host": "127.0.0.1:14200"},  # a tunnel has a port of its own
        {"Host": OWN, "Origin": f"http://{OWN}"},
        {"Host": OWN, "Origin": f"http://localhost:{PORT}"},
        {"Host": "dns.example", "Origin": "https://dns.example"},
        {"Host": OWN, "Origin": "https://dns.example"},
        {"Host": OWN, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
        {"Host": OWN, "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        LINK,
    ],
)
def test_programs_own_pages_and_followed_links_are_read(headers: dict[str, str]) -> None:
    assert Visitors(hosts=host_names("DNS.example , ")).refusal(scope(headers)) is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        *(({"Host": host.format(port=PORT)}, 400) for host in HOSTS),
        *(({"Host": OWN, "Origin": origin.format(port=PORT)}, 400) for origin in ORIGINS),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost.evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421),
        ({"Host": OWN, "Origin": "null"}, 403),
        ({"Host": OWN, "Origin": "http://evil.example"}, 403),
        ({"Host": OWN, "Origin": f"http://evil.example:{PORT}"}, 403),
        ({"Host": OWN, "Origin": "http://127.0.0.1:8000"}, 403),
        ({"Host": OWN, "Origin": "http://127.0.0.1"}, 403),
        ({"Host": OWN, "Origin": "file://"}, 403),
        ({"Host": OWN, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Host": OWN, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        (LINK | {"Sec-Fetch-Dest": "iframe"}, 403),
    ],
)  # fmt: skip
def test_everything_else_is_refused(headers: dict[str, str], status: int) -> None:
    for kind in ("http", "websocket"):
        refusal = Visitors().refusal(scope(headers, kind))
        assert refusal is not None
        assert refusal.status == status


def test_a_followed_link_changes_nothing() -> None:
    assert Visitors().refusal(scope(LINK, method="POST")) is not None


def test_a_header_that_comes_twice_is_no_request() -> None:
    twice = scope({"Host": OWN})
    twice["headers"] *= 2
    refusal = Visitors().refusal(twice)
    assert refusal is not None
    assert refusal.status == 400
    twice = scope({"Host": OWN, "Origin": f"http://{OWN}"})
    twice["headers"] += twice["headers"][1:]
    assert Visitors().refusal(twice) == Refusal(400, "expected at most one header Origin, found 2")


def test_where_others_can_connect_only_pages_of_other_origins_are_refused() -> None:
    visitors = Visitors(local=False)
    assert visitors.refusal(scope({"Host": "archive.example"})) is None
    assert visitors.refusal(scope({"Host": "a.example", "Origin": "https://a.example"})) is None
    assert visitors.refusal(scope({"Host": "a.example", "Origin": "https://b.example"})) is not None


@pytest.mark.parametrize(("host", "local"), [("127.0.0.9", True), ("::1", True), ("0.0.0.0", False), ("x", False)])  # noqa: S104, E501 # fmt: skip
def test_which_addresses_are_this_machines_alone(host: str, local: bool) -> None:
    assert is_local(host) is local


def answers(guard: BrowserGuard, given: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {}

    with pytest.raises(StopIteration):  # it waits for nothing, so that one step is all of it
        guard(given, receive, send).send(None)
    return sent


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (basic("dns:secret"), 200),
        (basic("dns:secre"), 401),
        (basic(""), 401),
        ("Bearer dns:secret", 401),
        ("Basic ä", 401),
        ("", 401),
    ],
)
def test_a_password_is_asked_for_where_there_is_one(given: str, status: int) -> None:
    guard = BrowserGuard(app, Visitors(), password=PASSWORD, free_paths=["/health"])
    headers = {"Host": OWN, "Authorization": given}
    assert answers(guard, scope(headers))[0]["status"] == status
    assert answers(guard, scope({"Host": OWN}, path="/health"))[0]["status"] == 200
    assert answers(guard, scope({"Host": "evil.example"}, path="/health"))[0]["status"] == 421


def test_a_websocket_is_closed_before_it_is_open() -> None:
    guard = BrowserGuard(app, Visitors())
    foreign_page = scope({"Host": OWN, "Origin": "http://evil.example"}, "websocket")
    foreign_host = scope({"Host": "evil.example"}, "websocket")
    foreign_page["extensions"] = {"websocket.http.response": {}}
    for given in (foreign_page, foreign_host):
        (closed,) = answers(guard, given)
        assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
    foreign_host["extensions"] = {"websocket.http.response": {}}
    start, body = answers(guard, foreign_host)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 421)
    assert body["type"] == "websocket.http.response.body"
