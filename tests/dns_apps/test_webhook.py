"""Events are posted in order; while the address is down they are kept, also for the next run."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dns_apps.webhook import Webhook
from dns_core.errors import InputError


class Receiver(http.server.ThreadingHTTPServer):
    """Takes events, or refuses them."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.refuses = False
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/secret-path"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.refuses:
            self.send_error(503)
            return
        self.server.got.append(event["number"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_events_arrive_in_order_and_nothing_is_kept(receiver: Receiver, tmp_path: Path) -> None:
    kept = tmp_path / "unsent.jsonl"
    with Webhook(receiver.address, kept, pytest.fail) as webhook:
        for number in range(5):
            webhook.send({"number": number})
        until(lambda: len(receiver.got) == 5 and not kept.exists())
    assert receiver.got == list(range(5))


def test_what_could_not_be_sent_is_sent_later(receiver: Receiver, tmp_path: Path) -> None:
    kept, said = tmp_path / "unsent.jsonl", list[str]()
    receiver.refuses = True
    with Webhook(receiver.address, kept, said.append, first_pause_s=0.02) as webhook:
        webhook.send({"number": 1})
        webhook.send({"number": 2})
        until(lambda: bool(said))
        receiver.refuses = False
        until(lambda: len(said) == 2)
    assert said[0] == f"the webhook at 127.0.0.1 is down (HTTP 503); events wait in {kept}"
    assert said[1] == "the webhook at 127.0.0.1 is there again"
    assert receiver.got == [1, 2]


def test_the_next_run_sends_what_is_kept(receiver: Receiver, tmp_path: Path) -> None:
    kept = tmp_path / "unsent.jsonl"
    receiver.refuses = True
    with Webhook(receiver.address, kept, lambda _: None, first_pause_s=60) as webhook:
        webhook.send({"number": 1})
    assert kept.read_text() == '{"number": 1}\n'
    receiver.refuses = False
    with Webhook(receiver.address, kept, pytest.fail) as webhook:
        webhook.send({"number": 2})
        until(lambda: len(receiver.got) == 2 and not kept.exists())
    assert receiver.got == [1, 2]


def test_other_addresses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a webhook of http"):
        Webhook("file:///etc/passwd", tmp_path / "unsent.jsonl", pytest.fail)
