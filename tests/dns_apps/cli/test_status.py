"""`dns status` of an index on several machines."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from dns_apps.cli.main import app
from dns_apps.service.client_errors import ServiceUnreachableError
from dns_apps.service.schemas import HolderRow

READY = HolderRow(
    name="holder-0", group=0, host="north", process=7, state="ready", version=3, lag=0, n_videos=44
)
BEHIND = READY.model_copy(update={"name": "holder-1", "state": "preparing", "version": 2, "lag": 1})


class Service:
    """A query service that knows some holders, or is not there."""

    holders: tuple[HolderRow, ...] | None = ()

    def __init__(self, *_: Any) -> None: ...

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None: ...

    def index(self) -> Any:
        if self.holders is None:
            raise ServiceUnreachableError("http://127.0.0.1:8400 does not answer")
        return SimpleNamespace(holders=self.holders)


@pytest.fixture
def status(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    nothing = SimpleNamespace(was_started=lambda _name: False, states=tuple)
    monkeypatch.setattr("dns_apps.cli.platform._supervisor", lambda *_, **__: nothing)
    monkeypatch.setattr("dns_apps.service.client.Client", Service)

    def shown(holders: tuple[HolderRow, ...] | None, *arguments: str) -> Any:
        Service.holders = holders
        return CliRunner().invoke(app, ["status", *arguments], env={"DNS_SERVE_HOLDERS": "1"})

    yield shown
    Service.holders = ()


def test_holders_are_shown_and_one_that_is_behind_is_a_failure(status: Callable[..., Any]) -> None:
    found = status((READY,))
    assert found.exit_code == 0
    assert "north" in found.output
    found = status((READY, BEHIND))
    assert found.exit_code == 1
    assert "preparing" in found.output
    rows = json.loads(status((READY, BEHIND), "--json").output)
    assert [(row["name"], row["version"], row["lag"]) for row in rows] == [
        ("holder-0", 3, 0),
        ("holder-1", 2, 1),
    ]


def test_a_service_that_is_not_there_is_said(status: Callable[..., Any]) -> None:
    assert "does not answer" in status(None).output
