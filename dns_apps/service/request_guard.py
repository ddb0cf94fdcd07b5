"""What every request passes first: who it may come from, how much it may bring, and what its answer bears."""

import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dns_apps.service.bodies import Body, Pace, Senders, too_large
from dns_apps.service.metrics import Metrics
from dns_apps.service.problems import problem_response
from dns_apps.service.refusals import RefusalError
from dns_ops.browser_guard import BrowserGuard, Visitors

_MAX_JSON_BYTES = 1 << 20
_FORM_BYTES = 64 << 10
"""Fields and boundaries beside an upload."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}


class RequestGuard:
    """Refuses what should not be read at all, and counts what is answered.

    Args:
        app: what is behind it.
        metrics: counts requests.
        visitors: whose requests are read.
        max_upload_bytes: of a form with a video.
        pace: how slowly a body may come in.
    """

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, visitors: Visitors, max_upload_bytes: int, pace: Pace
    ) -> None:
        self._app = app
        self._others = BrowserGuard(app, visitors)  # WebSockets, of which there are none
        self._metrics = metrics
        self._visitors = visitors
        self._max_upload_bytes = max_upload_bytes
        self._senders = Senders(pace)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        began_s, status = time.perf_counter(), 500
        address = (scope.get("client") or ("", 0))[0]
        body = Body(receive, self._limit(Headers(scope=scope)), self._senders, address)

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
                await self._app(scope, body, answer)
        finally:
            body.end()
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.count(scope["method"], route, status, time.perf_counter() - began_s)

    def _refusal(self, scope: Scope) -> RefusalError | None:
        headers = Headers(scope=scope)
        stated = headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > self._limit(headers):
            return too_large(self._limit(headers))
        refusal = self._visitors.refusal(scope)
        return RefusalError(refusal.status, refusal.detail) if refusal else None

    def _limit(self, headers: Headers) -> int:
        form = headers.get("content-type", "").startswith("multipart/")
        return self._max_upload_bytes + _FORM_BYTES if form else _MAX_JSON_BYTES
