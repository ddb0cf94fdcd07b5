"""What the service answers instead of what it was asked for, and how errors become that."""

from http import HTTPStatus

from dns_apps.service.schemas import Problem
from dns_core.errors import ArtefactError, DnsError, InputError, ShardsLostError, VideoError
from dns_core.store.room import is_full

NO_ROOM = "the disk of the service is full: it still answers, and keeps nothing new until there is room"
_BUSY_FOR_S = 2
_NOT_READY_FOR_S = 5


class RefusalError(DnsError):
    """A request that is not met.

    Args:
        status: of HTTP, 4xx or 5xx.
        detail: one sentence for a person: what was expected and what was found.
        reason: a word for programs.
        retry_after_s: when to ask again; 0 if that would change nothing.
    """

    def __init__(self, status: int, detail: str, *, reason: str = "", retry_after_s: int = 0) -> None:
        super().__init__(detail)
        self.problem = problem(status, detail, reason)
        self.retry_after_s = retry_after_s


def problem(status: int, detail: str, reason: str = "") -> Problem:
    """The problem of a status; its title is the status's own."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    return Problem(title=title, status=status, detail=detail, reason=reason)


def not_found(what: str) -> RefusalError:
    """``what`` is not there, or is hidden; the response does not reveal which."""
    return RefusalError(HTTPStatus.NOT_FOUND, what, reason="not_found")


def no_room() -> RefusalError:
    """Nothing can be written."""
    return RefusalError(HTTPStatus.INSUFFICIENT_STORAGE, NO_ROOM, reason="full")


def busy(detail: str) -> RefusalError:
    """Too much is asked at once."""
    return RefusalError(HTTPStatus.TOO_MANY_REQUESTS, detail, reason="busy", retry_after_s=_BUSY_FOR_S)


def not_ready(detail: str) -> RefusalError:
    """No index is served."""
    return RefusalError(
        HTTPStatus.SERVICE_UNAVAILABLE, detail, reason="not_ready", retry_after_s=_NOT_READY_FOR_S
    )


def problem_of(error: Exception) -> Problem:
    """The problem that is shown for an error; an unforeseen one shows only that it happened."""
    if isinstance(error, RefusalError):
        return error.problem
    if isinstance(error, VideoError):
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.detail, error.reason)
    if isinstance(error, InputError):
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), "bad_input")
    if isinstance(error, ArtefactError | ShardsLostError):
        reason = "artefact" if isinstance(error, ArtefactError) else "shards_lost"
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), reason)
    if is_full(error):
        return problem(HTTPStatus.INSUFFICIENT_STORAGE, NO_ROOM, "full")
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "the service met an error of its own; its log says more", "defect"
    )
