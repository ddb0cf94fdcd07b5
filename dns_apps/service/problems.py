"""Every error as ``application/problem+json`` (RFC 9457)."""

import logging
import sqlite3
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from dns_apps.service.refusals import RefusalError, problem, problem_of
from dns_apps.service.schemas import Problem
from dns_core.errors import ArtefactError, DnsError
from dns_core.store.room import is_full

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


def problem_response(error: Exception, request: Request) -> Response:
    """The response that describes ``error`` to the client."""
    found = problem_of(error)
    # Of the artefact errors only the plain one is passing: another process is writing to the index.
    if type(error) is ArtefactError:
        found = problem(HTTPStatus.CONFLICT, str(error), "conflict")
    headers = {}
    if isinstance(error, RefusalError) and error.retry_after_s:
        headers["Retry-After"] = str(error.retry_after_s)
    if found.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return _response(found, request, headers)


def say_problems(app: FastAPI) -> None:
    """Install handlers that answer every error of ``app`` as a problem."""

    async def foreseen(request: Request, error: Exception) -> Response:
        return problem_response(error, request)

    async def plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - so it was registered
        found = problem(error.status_code, str(error.detail))
        return _response(found, request, dict(error.headers or {}))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - so it was registered
        return _response(problem(HTTPStatus.UNPROCESSABLE_ENTITY, _faults(error), "invalid"), request, {})

    async def of_the_machine(request: Request, error: Exception) -> Response:
        if not is_full(error):
            raise error
        _log.warning("a request was refused, for nothing can be written: %s", error)
        return problem_response(error, request)

    async def gone(request: Request, _error: Exception) -> Response:
        return problem_response(RefusalError(HTTPStatus.BAD_REQUEST, "the request broke off"), request)

    async def unforeseen(request: Request, error: Exception) -> Response:
        _log.error("a request met a defect", exc_info=error)
        return problem_response(error, request)

    app.add_exception_handler(DnsError, foreseen)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(OSError, of_the_machine)
    app.add_exception_handler(sqlite3.Error, of_the_machine)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, unforeseen)


def _faults(error: RequestValidationError) -> str:
    """Each fault as the place in the request and what is wrong there; never what was sent."""
    faults = [f"{'.'.join(map(str, row['loc']))}: {row['msg'].lower()}" for row in error.errors()]
    return "; ".join(faults[:10]) or "the request is not valid"


def _response(found: Problem, request: Request, headers: dict[str, str]) -> Response:
    content = {**found.model_dump(exclude_defaults=True), "type": found.type, "instance": request.url.path}
    return JSONResponse(content, found.status, headers, MEDIA_TYPE)
