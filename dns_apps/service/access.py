"""Who may ask what: bearer tokens with a scope, compared without telling how much of one was right."""

import hashlib
import hmac
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from dns_apps.service.context import ServiceContext
from dns_apps.service.refusals import RefusalError

Scope = Literal["query", "admin"]
_GRANTS: dict[str, tuple[Scope, ...]] = {"query": ("query",), "admin": ("query", "admin")}

_bearer = HTTPBearer(auto_error=False, description="A token; needed if the service has any.")


def context_of(request: Request) -> ServiceContext:
    """The parts of the service that a request reached."""
    context = request.app.state.context
    assert isinstance(context, ServiceContext)  # noqa: S101 - the app was made with them
    return context


def _scope_of(token: str, digests: dict[str, str]) -> str:
    """Scope of a token; empty if it is none of ours."""
    digest = hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
    # All are compared, so that the time says nothing about which one was nearly right.
    found = [scope for known, scope in digests.items() if hmac.compare_digest(known, digest)]
    return max(found, key=lambda scope: len(_GRANTS[scope]), default="")


def require(scope: Scope) -> Callable[..., None]:
    """A dependency that lets a request pass whose token grants ``scope``; any, if there are no tokens."""

    def check(
        context: Annotated[ServiceContext, Depends(context_of)],
        given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    ) -> None:
        digests = context.settings.token_digests()
        if not digests:
            return
        found = _scope_of(given.credentials, digests) if given else ""
        if not found:
            detail = "the token is none of this service's" if given else "a bearer token is needed"
            raise RefusalError(HTTPStatus.UNAUTHORIZED, detail, reason="token")
        if scope not in _GRANTS[found]:
            raise RefusalError(HTTPStatus.FORBIDDEN, f"a token of scope {scope} is needed", reason="scope")

    return check


Context = Annotated[ServiceContext, Depends(context_of)]
