"""IPC logger: stages send records to the process that started them and need not load MLflow themselves.

Messages are JSON over a socket in a folder that only its owner can read; a file named after the parent run
holds the address. Without a listener, a stage logs to MLflow directly.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from threading import Thread
from typing import Any

from dns_core.errors import DnsError
from dns_core.ports import Progress, RunLogger
from dns_ops.settings import make_platform_folder, make_private_file, platform_folder

END = "end"
"""The last message of a stage; the word for how it ended follows."""

_PATIENCE_S = 60.0


class RecordRefusedError(DnsError):
    """The process that started this one could not open a record of it."""


class PeerGoneError(Exception):
    """The peer closed the connection or timed out."""


class Conversation:
    """One end of a line between a stage and its recorder.

    Args:
        line: to the other end.
    """

    def __init__(self, line: Connection) -> None:
        self._line = line

    def send(self, *message: object) -> None:
        """Send one message.

        Raises:
            OSError: the peer is gone.
        """
        self._line.send_bytes(json.dumps(message, default=str).encode())

    def receive(self, patience_s: float | None = None) -> list[Any]:
        """Receive the next message.

        Args:
            patience_s: seconds to wait for it; no limit if None.

        Raises:
            PeerGoneError: the other process has ended, or sends nothing for `patience_s`.
        """
        try:
            if self._line.poll(patience_s):
                return list(json.loads(self._line.recv_bytes()))
        except (EOFError, OSError) as error:
            raise PeerGoneError("the other process has gone") from error
        raise PeerGoneError(f"no message for {patience_s:g} s")


RunRecorder = Callable[[Conversation], object]
"""Receives what a stage sends, from its name and params to `END`."""


@contextmanager
def serve_run_logs(root: Path, run_id: str, record: RunRecorder) -> Iterator[None]:
    """Context in which this process records the stages of a run, each in a thread of its own.

    Args:
        root: the workspace.
        run_id: the parent run.
        record: called with each stage's end of the line.
    """
    make_platform_folder(root)
    address = _address(root, run_id)
    threads: list[Thread] = []

    def attend(line: Connection) -> None:
        with line, suppress(PeerGoneError, OSError):  # a stage that has gone needs no answer
            record(Conversation(line))

    def answer(listener: Listener) -> None:
        with suppress(OSError):  # closed: there are no more stages
            while True:
                thread = Thread(target=attend, args=(listener.accept(),), daemon=True)
                thread.start()  # first: one that was not started cannot be waited for
                threads.append(thread)

    with Listener(family="AF_UNIX") as listener:
        Thread(target=answer, args=(listener,), daemon=True).start()
        make_private_file(address).write_text(str(listener.address), encoding="utf-8")
        try:
            yield
        finally:
            address.unlink()
            for thread in threads:
                thread.join(_PATIENCE_S)


@contextmanager
def recorded_elsewhere(
    line: Connection, name: str, params: Mapping[str, Any], progress: Progress
) -> Iterator[RunLogger]:
    """Yield a recorder of one stage that sends everything to the process at the other end.

    Args:
        line: as `line_to_recorder` gives it.
        name: stage, or ``stage@item``.
        params: of the stage.
        progress: is told if the record is not complete.

    Raises:
        RecordRefusedError: the record cannot be begun.
    """
    with line:
        logger = _TellingLogger(Conversation(line))
        refusal = logger.begin(name, params)
        if refusal:
            raise RecordRefusedError(refusal)
        status = "FAILED"
        try:
            yield logger
            status = "FINISHED"
        except Exception:
            raise
        except BaseException:
            status = "KILLED"
            raise
        finally:
            complaint = logger.end(status)
            if complaint:
                progress.say(complaint)


def line_to_recorder(root: Path, run_id: str) -> Connection | None:
    """Connection to the process that records the stages of a run; None if there is none."""
    try:
        return Client(_address(root, run_id).read_text(encoding="utf-8"), family="AF_UNIX")
    except OSError:
        return None


class _TellingLogger:
    """`dns_core.ports.RunLogger` that passes everything on; what cannot be told costs only the record."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def begin(self, name: str, params: Mapping[str, Any]) -> str:
        """Why there can be no record; empty if it has begun."""
        self._send(name, dict(params))
        return self._answer()

    def log_params(self, params: Mapping[str, object]) -> None:
        """Pass on what was asked."""
        self._send("log_params", dict(params))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Pass on figures."""
        self._send("log_metrics", dict(metrics), step)

    def log_artifact(self, path: Path) -> None:
        """Pass on where a file is."""
        self._send("log_artifact", str(path.resolve()))

    def end(self, status: str) -> str:
        """Wait until everything is recorded; returns what could not be recorded."""
        self._send(END, status)
        return self._answer()

    def _send(self, *message: object) -> None:
        with suppress(OSError):  # said at the end, when there is no answer
            self._conversation.send(*message)

    def _answer(self) -> str:
        with suppress(PeerGoneError):
            return str(self._conversation.receive(_PATIENCE_S)[0])
        return "the record of this run is not complete: the process that keeps it has gone"


def _address(root: Path, run_id: str) -> Path:
    return platform_folder(root) / "recorders" / (run_id or "none")
