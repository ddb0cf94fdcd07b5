"""What a flow foresees going wrong ends its run with one sentence, not with a traceback."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect.client.schemas.objects import State
from prefect.states import Failed

from dns_core.errors import DnsError

Given = ParamSpec("Given")
Made = TypeVar("Made")


def foreseen_errors_shown(function: Callable[Given, Made]) -> Callable[Given, Made | State[Made]]:
    """The function of a flow, whose foreseen errors become a failed state that says what they say."""

    @wraps(function)
    def shown(*args: Given.args, **kwargs: Given.kwargs) -> Made | State[Made]:
        try:
            return function(*args, **kwargs)
        except DnsError as error:
            return Failed(message=str(error))

    return shown
