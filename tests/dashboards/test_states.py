import pytest

from dashboards.states import advice
from dns_apps.service.client_errors import ServiceUnreachableError, problem_error
from dns_apps.service.schemas import Problem
from dns_core.errors import InputError


def problem(status: int) -> Exception:
    return problem_error(Problem(title="Title", status=status, detail="what was found"))


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (ServiceUnreachableError("http://127.0.0.1:1: no answer"), "dns serve"),
        (problem(401), "DNS_SERVICE_TOKEN"),
        (problem(403), "DNS_SERVICE_TOKEN"),
        (problem(404), "Choose another"),
        (problem(422), "Change what the message names"),
        (problem(429), "in a moment"),
        (problem(503), "dns status"),
        (InputError("expected a number, found none"), "Change"),
    ],
)
def test_every_foreseen_error_says_what_to_do(error: Exception, named: str) -> None:
    shown = advice(error)
    assert named in shown.todo
    assert shown.detail in str(error)
    assert shown.detail


def test_a_defect_tells_no_details() -> None:
    shown = advice(ZeroDivisionError("secret"))
    assert "secret" not in f"{shown}"
    assert "log" in shown.todo
