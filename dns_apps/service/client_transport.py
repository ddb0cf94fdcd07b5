"""How a client of the query service sends requests and reads replies, and which errors it raises."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from dns_apps.service.client_errors import ServiceUnreachableError, problem_error
from dns_apps.service.schemas import Page, Problem

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class Transport:
    """Connections to one query service; see `dns_apps.service.client.Client`."""

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = 30.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        # No proxy of the environment: the service is on this machine or named by its own address.
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _page(self, path: str, kind: type[M], **params: Any) -> Page[M]:
        return valid(TypeAdapter(Page[kind]), self._ask("GET", path, params=params))  # type: ignore[valid-type]

    def _ask(self, method: str, path: str, **parts: Any) -> httpx.Response:
        return checked(self._send(method, path, **parts))

    def _send(
        self, method: str, path: str, *, patience_s: float | None = None, **parts: Any
    ) -> httpx.Response:
        timeout = httpx.Timeout(self._timeout_s, read=self._timeout_s + (patience_s or 0.0))
        try:
            return self._http.request(method, path, timeout=timeout, **parts)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            found = str(error) or type(error).__name__
            raise ServiceUnreachableError(f"{self.url}: no answer from the query service: {found}") from error


def quoted(part: str) -> str:
    """A part of a path, as an address has it."""
    return quote(part, safe="/")


def preference(wait_s: float | None) -> Mapping[str, str]:
    """RFC 7240: how long the service shall wait before it answers that the work continues."""
    return {} if wait_s is None else {"Prefer": f"wait={max(0, round(wait_s))}"}


def checked(reply: httpx.Response) -> httpx.Response:
    """The reply, or the error that it describes."""
    if reply.is_success:
        return reply
    after = reply.headers.get("Retry-After", "")
    raise problem_error(problem(reply), float(after) if after.isdecimal() else 0.0)


def problem(reply: httpx.Response) -> Problem:
    """What a reply says is wrong."""
    try:
        return Problem.model_validate_json(reply.content)
    except ValidationError:
        raise ServiceUnreachableError(
            f"{reply.url.copy_with(query=None)}: expected a query service, found status {reply.status_code}"
        ) from None


def read(reply: httpx.Response, kind: type[M]) -> M:
    """The content of a reply."""
    return valid(TypeAdapter(kind), reply)


def valid(adapter: TypeAdapter[T], reply: httpx.Response) -> T:
    """As `read`, of a type that is no model."""
    try:
        return adapter.validate_json(reply.content)
    except ValidationError as error:
        raise ServiceUnreachableError(
            f"{reply.url.copy_with(query=None)}: expected the reply of a query service, found another: "
            f"{error.error_count()} fields do not fit"
        ) from error
