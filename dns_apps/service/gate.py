"""What every request passes first: who it may come from, how much it may bring, and what its answer bears."""

import time
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dns_apps.service.metrics import Metrics
from dns_apps.service.problems import problem_response
from dns_apps.service.refusals import RefusalError
from dns_ops.browser_guard import Visitors

_MAX_JSON_BYTES = 1 << 20
_FORM_BYTES = 64 << 10
"""Fields and boundaries beside an upload."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}


class Gate:
    """Refuses what should not be read at all, and counts what is answered.

    Args:
        app: what is behind it.
        metrics: counts requests.
        visitors: whose requests are read.
        max_upload_bytes: of a form with a video.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, visitors: Visitors, max_upload_bytes: int) -> None:
        self._app = app
        self._metrics = metrics
        self._visitors = visitors
        self._max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal is not None:
                await problem_response(refusal, Request(scope))(scope, receive, answer)
            else:
                await self._app(scope, self._limited(scope, receive), answer)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.count(scope["method"], route, status, time.perf_counter() - began_s)

    def _refusal(self, scope: Scope) -> RefusalError | None:
        headers = Headers(scope=scope)
        stated = headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > self._limit(headers):
            return self._too_large(headers)
        refusal = self._visitors.refusal(scope)
        return RefusalError(refusal.status, refusal.detail) if refusal else None

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """``receive`` that refuses a body beyond the limit, whatever its headers said."""
        headers = Headers(scope=scope)
        n_bytes, limit = 0, self._limit(headers)

        async def read() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > limit:
                raise self._too_large(headers)
            return message

        return read

    def _limit(self, headers: Headers) -> int:
        form = headers.get("content-type", "").startswith("multipart/")
        return self._max_upload_bytes + _FORM_BYTES if form else _MAX_JSON_BYTES

    def _too_large(self, headers: Headers) -> RefusalError:
        limit = self._limit(headers)
        return RefusalError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"a request may have {limit} bytes, this one has more",
            reason="too_large",
        )
