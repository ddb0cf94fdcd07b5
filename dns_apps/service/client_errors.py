"""Errors of the client: what a service that is asked may answer instead.

ServiceError                   a `dns_core.errors.DnsError`
├── ServiceUnreachableError    it is down, slow, or something else answers at its address
├── RequestRefusedError        the request cannot be met as it is (4xx)
│   ├── NotFoundError          nothing has that id (404)
│   ├── NotAllowedError        the token is missing, unknown or of too narrow a scope (401, 403)
│   └── ServiceBusyError       too much is asked at once (429); ``retry_after_s`` says when to come back
└── ServiceFailedError         the service cannot do its part now (5xx), for example without an index
"""

from dns_apps.service.schemas import Problem
from dns_core.errors import DnsError


class ServiceError(DnsError):
    """Root of the tree above; the message is for a person."""


class ServiceUnreachableError(ServiceError):
    """Nothing that is a query service answers at the address, or not in time."""


class _AnsweredError(ServiceError):
    """The service answered with a problem.

    Args:
        problem: title, detail, status and reason as the service gave them.
        retry_after_s: when it asks to be asked again; 0 if it does not say.
    """

    def __init__(self, problem: Problem, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{problem.title}: {problem.detail}")
        self.problem = problem
        self.retry_after_s = retry_after_s


class RequestRefusedError(_AnsweredError):
    """The request cannot be met as it is."""


class NotFoundError(RequestRefusedError):
    """Nothing has that id."""


class NotAllowedError(RequestRefusedError):
    """The token is missing, unknown or of too narrow a scope."""


class ServiceBusyError(RequestRefusedError):
    """Too much is asked at once."""


class ServiceFailedError(_AnsweredError):
    """The service cannot do its part now."""


def problem_error(problem: Problem, retry_after_s: float = 0.0) -> ServiceError:
    """The error of the tree that stands for a problem's status."""
    kinds: dict[int, type[_AnsweredError]] = {
        401: NotAllowedError,
        403: NotAllowedError,
        404: NotFoundError,
        429: ServiceBusyError,
    }
    other = ServiceFailedError if problem.status >= 500 else RequestRefusedError
    return kinds.get(problem.status, other)(problem, retry_after_s)
