"""What a web page may ask of a server of this machine: nothing, unless the server sent that page itself.

A browser sends requests for every page that its user visits. Three headers tell them apart, and no script can
forge them: ``Host`` (a page that had its own name resolve to this machine still names itself there),
``Origin`` and ``Sec-Fetch-Site``. Programs send the last two never, and are not held up.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Address = tuple[str, int | None]
"""Name and port; lower case."""

_NOWHERE: Address = ("", None)
_ADDRESS = re.compile(r"([A-Za-z0-9._-]+|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{0,5}))?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_LAST_PORT = (1 << 16) - 1
_POLICY_VIOLATION = 1008
_CAN_ANSWER = "websocket.http.response"
_LOCAL_NAME = "localhost"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not read: a status of HTTP, and a sentence for a person."""

    status: int
    detail: str


def is_local(host: str) -> bool:
    """Whether an address or name is this machine's own, to which no other machine can connect."""
    try:
        return host == _LOCAL_NAME or ip_address(host).is_loopback
    except ValueError:
        return False


def host_names(text: str) -> frozenset[str]:
    """The names of a list with commas between them, as `Visitors` takes them."""
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


@dataclass(frozen=True, slots=True)
class Visitors:
    """Which requests a server reads.

    Attributes:
        local: only this machine can connect, so that a request must name it by one of its own names.
        hosts: further names by which browsers know the server, for example that of a proxy with TLS.
    """

    local: bool = True
    hosts: frozenset[str] = frozenset()

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why the request or WebSocket of an ASGI scope is not read; None if it is.

        A link that a person follows is read from wherever it comes: it can change nothing, and the page
        that it stands on does not see the answer.
        """
        try:
            own, page = _host(scope), _origin(scope)
        except ValueError as error:
            return Refusal(HTTPStatus.BAD_REQUEST, str(error))
        if self.local and not self._knows(own[0]):
            return Refusal(
                HTTPStatus.MISDIRECTED_REQUEST, "the server is known by the names of this machine alone"
            )
        same = page in (None, own) or self._is_own(page, scope)
        if not same or (page is None and _is_of_another_page(scope)):
            return Refusal(HTTPStatus.FORBIDDEN, "pages of other sites may ask nothing here")
        return None

    def _knows(self, name: str) -> bool:
        return is_local(name) or name in self.hosts

    def _is_own(self, page: Address, scope: Scope) -> bool:
        """Whether an origin is this server under another of its names."""
        name, port = page
        return name in self.hosts or (is_local(name) and port == (scope.get("server") or (None, None))[1])


class BrowserGuard:
    """Another ASGI application, behind the check of where a request comes from.

    Args:
        app: what is behind it.
        visitors: whose requests it reads.
        password: ``user:password`` that HTTP requests must give besides (Basic); empty is none.
        free_paths: that are answered without it.
    """

    def __init__(
        self, app: App, visitors: Visitors, *, password: str = "", free_paths: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._visitors = visitors
        self._password = password
        self._free_paths = frozenset(free_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request or connection on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._visitors.refusal(scope) or self._stranger(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await _turn_away(refusal, scope, send)
        else:
            await _answer(refusal, send)

    def _stranger(self, scope: Scope) -> Refusal | None:
        if not self._password or scope["path"] in self._free_paths:
            return None
        scheme, _, given = _joined(scope, b"authorization").partition(" ")
        try:
            found = base64.b64decode(given, validate=True) if scheme.lower() == "basic" else b""
        except (binascii.Error, ValueError):
            found = b""
        if hmac.compare_digest(found, self._password.encode()):
            return None
        return Refusal(HTTPStatus.UNAUTHORIZED, "user and password are needed: the file .platform/password")


def _host(scope: Scope) -> Address:
    """Whom a request names; raises ValueError unless one valid ``Host`` says it."""
    values = _values(scope, b"host")
    if len(values) != 1:
        raise ValueError(f"expected one header Host, found {len(values)}")
    return _address(values[0], f"Host: {values[0]!r}")


def _origin(scope: Scope) -> Address | None:
    """Which page asks: None if it is not said, and no address if it has none (``null``).

    Raises ValueError unless it is said once, validly, or not at all.
    """
    values = _values(scope, b"origin")
    if not values:
        return None
    if len(values) > 1:
        raise ValueError(f"expected at most one header Origin, found {len(values)}")
    if values[0] == "null":
        return _NOWHERE
    scheme, separator, address = values[0].partition("://")
    said = f"Origin: {values[0]!r}"
    if not separator or not _SCHEME.fullmatch(scheme):
        raise ValueError(f"{said}: expected scheme://name:port or null")
    return _address(address, said) if address else _NOWHERE


def _address(text: str, said: str) -> Address:
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise ValueError(f"{said}: expected a name or address, and perhaps a port")
    name, sixth, digits = found.groups()
    port = int(digits) if digits else None
    if port is not None and not 0 < port <= _LAST_PORT:
        raise ValueError(f"{said}: expected a port from 1 to {_LAST_PORT}")
    return (str(IPv6Address(sixth)) if sixth else name.lower()), port


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _joined(scope: Scope, name: bytes) -> str:
    return ",".join(_values(scope, name))


def _is_of_another_page(scope: Scope) -> bool:
    """Whether a page of another site asks, and no person who follows a link."""
    if _joined(scope, b"sec-fetch-site") in ("", "none", "same-origin"):
        return False
    followed = _joined(scope, b"sec-fetch-mode") == "navigate"
    whole = _joined(scope, b"sec-fetch-dest") == "document"
    return not (followed and whole and scope.get("method") in ("GET", "HEAD"))


async def _turn_away(refusal: Refusal, scope: Scope, send: Send) -> None:
    """Refuse a WebSocket, with the status if the server can say another than 403, which closing means.

    uvicorn logs an error for each answer of the first kind, so that it is kept from pages of other sites.
    """
    if refusal.status != HTTPStatus.FORBIDDEN and _CAN_ANSWER in (scope.get("extensions") or {}):
        await _answer(refusal, send, f"{_CAN_ANSWER}.")
    else:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refusal.detail})


async def _answer(refusal: Refusal, send: Send, kind: str = "http.response.") -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Basic realm="Distill-and-Select", charset="UTF-8"'))
    await send({"type": f"{kind}start", "status": int(refusal.status), "headers": headers})
    await send({"type": f"{kind}body", "body": refusal.detail.encode()})
