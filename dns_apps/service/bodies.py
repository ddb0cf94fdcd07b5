"""Bodies of requests while they come in: how large, how slow, and how many of one address at a time."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.types import Message, Receive

from dns_apps.service.refusals import RefusalError, busy


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly a body may come in.

    Attributes:
        bytes_per_s: on average, once the grace is over.
        grace_s: a sender may be so much later than that.
        deadline_s: of the whole body.
        per_address: bodies at a time of one address.
    """

    bytes_per_s: float
    deadline_s: float
    per_address: int
    grace_s: float = 10.0

    def left_s(self, n_bytes: int, elapsed_s: float) -> float:
        """How long the next piece may take."""
        return min(self.grace_s + n_bytes / self.bytes_per_s, self.deadline_s) - elapsed_s


@dataclass
class Senders:
    """Bodies that come in now, by address."""

    pace: Pace
    _now: Counter[str] = field(default_factory=Counter)

    def enter(self, address: str) -> None:
        """One more of an address.

        Raises:
            RefusalError: there are as many as may be (429).
        """
        if self._now[address] >= self.pace.per_address:
            raise busy(f"{self.pace.per_address} requests of this address are coming in; try again")
        self._now[address] += 1

    def leave(self, address: str) -> None:
        """One less."""
        self._now[address] -= 1
        if not self._now[address]:
            del self._now[address]


class Body:
    """``receive`` of ASGI that refuses a body beyond the limit, even if its headers hide it, and a slow one.

    Args:
        receive: of the server.
        limit: bytes at most.
        senders: counts it while it comes in.
        address: where it comes from.
    """

    def __init__(self, receive: Receive, limit: int, senders: Senders, address: str) -> None:
        self._receive = receive
        self._limit = limit
        self._senders = senders
        self._address = address
        self._n_bytes = 0
        self._began_s = 0.0
        self._state = "not asked for"

    async def __call__(self) -> Message:
        """The next piece.

        Raises:
            RefusalError: the body is too large (413) or too slow (408), or too many come in (429).
        """
        if self._state == "over":
            return await self._receive()
        if self._state == "not asked for":
            self._senders.enter(self._address)
            self._began_s, self._state = time.monotonic(), "coming in"
        left_s = self._senders.pace.left_s(self._n_bytes, time.monotonic() - self._began_s)
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, left_s))
        except TimeoutError:
            expected = f"expected {self._senders.pace.bytes_per_s:.0f} bytes a second"
            detail = f"the request came in too slowly: {expected}, found {self._n_bytes} bytes"
            raise RefusalError(HTTPStatus.REQUEST_TIMEOUT, detail, reason="slow") from None
        self._n_bytes += len(message.get("body", b""))
        if self._n_bytes > self._limit:
            raise too_large(self._limit)
        if not message.get("more_body", False):
            self.end()
        return message

    def end(self) -> None:
        """Stop counting it."""
        if self._state == "coming in":
            self._senders.leave(self._address)
        self._state = "over"


def too_large(limit: int) -> RefusalError:
    """A request has more bytes than it may have."""
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"a request may have {limit} bytes, this one has more",
        reason="too_large",
    )
