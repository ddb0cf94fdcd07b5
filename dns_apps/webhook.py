"""Events posted to an address over HTTP, in order; while it is down they are kept on disk and sent later."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dns_core.errors import InputError
from dns_core.store.atomic import atomic_file

_TIMEOUT_S = 5.0
_LONGEST_PAUSE_S = 60.0


class Webhook:
    """Posts in a thread, so that the stream is not held up; use it in a ``with`` block.

    Args:
        address: http or https.
        kept: file of what is not sent yet, one JSON a line; read at the start, gone when all is sent.
        say: called with one sentence when the address goes down, and when it is there again.
        first_pause_s: before the second try; doubled for each further one, up to a minute.

    Raises:
        InputError: the address is neither http nor https.
    """

    def __init__(
        self, address: str, kept: Path, say: Callable[[str], None], *, first_pause_s: float = 0.5
    ) -> None:
        if urlsplit(address).scheme not in ("http", "https"):
            raise InputError(f"expected a webhook of http:// or https://, found {address!r}")
        self._address, self._kept, self._say = address, kept, say
        self._first_pause_s = first_pause_s
        self._shown = urlsplit(address).hostname  # the rest of an address may be a secret
        self._lock = threading.Lock()
        self._waiting = self._read()
        self._more = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)

    def __enter__(self) -> "Webhook":
        self._thread.start()
        self._more.set()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stopped.set()
        self._more.set()
        self._thread.join(2 * _TIMEOUT_S)

    def send(self, event: Mapping[str, Any]) -> None:
        """Post an event as soon as those before are sent; it is on disk when this returns.

        Args:
            event: any JSON.
        """
        with self._lock:
            self._waiting.append(json.dumps(event))
            with self._kept.open("a", encoding="utf-8") as file:
                file.write(self._waiting[-1] + "\n")
        self._more.set()

    def _run(self) -> None:
        pause_s, down = self._first_pause_s, False
        while True:
            self._more.wait()
            self._more.clear()
            while self._waiting:
                error = self._posted(self._waiting[0])
                if not error:
                    self._forget_first()
                    if down:
                        self._say(f"the webhook at {self._shown} is there again")
                    pause_s, down = self._first_pause_s, False
                    continue
                if not down:
                    self._say(f"the webhook at {self._shown} is down ({error}); events wait in {self._kept}")
                    down = True
                if self._stopped.wait(pause_s):
                    return
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            if self._stopped.is_set():
                return

    def _posted(self, line: str) -> str:
        """Post one event; what went wrong, or nothing."""
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self._address, line.encode(), {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with _opener().open(request, timeout=_TIMEOUT_S):
                return ""
        except urllib.error.HTTPError as error:
            error.close()
            return f"HTTP {error.code}"
        except OSError as error:
            return str(getattr(error, "reason", error))

    def _forget_first(self) -> None:
        with self._lock:
            self._waiting.pop(0)
            if not self._waiting:
                self._kept.unlink(missing_ok=True)
                return
            with atomic_file(self._kept) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in self._waiting), encoding="utf-8")

    def _read(self) -> list[str]:
        try:
            lines = self._kept.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if line.strip()]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        """Follow none: events go to the address that was named, and to no other."""


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())
