"""``dns watch``: search an index with a stream while it runs."""

import os
import signal
import threading
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dns_apps.cli.errors import complain
from dns_apps.cli.options import BudgetText, IndexOption, Json, Models
from dns_apps.cli.output import print_json, print_line
from dns_apps.text import clock
from dns_core.errors import InputError
from dns_core.retrieval.budget import Budget

if TYPE_CHECKING:
    from dns_core.streams.incoming import Counts, Incoming
    from dns_core.streams.watcher import Report
    from dns_core.video.decode import Sampling
    from dns_core.video.live import LiveSource

_BUDGET = "50ms"
WebhookUrl = Annotated[str, typer.Option(metavar="URL", help="Post each event there as JSON.")]
Unsent = Annotated[Path, typer.Option(metavar="FILE", help="Keeps events while the webhook is down.")]
Hosts = Annotated[list[str], typer.Option(metavar="HOST:PORT", help="A playlist may name this host too.")]
Duration = Annotated[
    str, typer.Option("--for", metavar="60s", help="Stop after so long; else at the stream's end.")
]


def watch(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="A file that grows, - for a pipe, or http, tcp, udp, rtsp."),
    ],
    *,
    index: IndexOption,
    window: Annotated[str, typer.Option(metavar="8s", help="Length of a query.")] = "8s",
    hop: Annotated[str, typer.Option(metavar="2s", help="From one query to the next.")] = "2s",
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Of an event.")] = 0.5,
    budget: BudgetText = _BUDGET,
    webhook: WebhookUrl = "",
    unsent: Unsent = Path("unsent-events.jsonl"),
    allow_host: Hosts = [],  # noqa: B006 - typer's form
    duration: Duration = "",
    models: Models = None,
    json: Json = False,
) -> None:
    """Report what a stream shows of the videos of an index, while it runs."""
    from dns_apps.webhook import Webhook
    from dns_core.streams.followed import FollowedIndex
    from dns_core.streams.watcher import Rules, Watcher
    from dns_core.streams.windows import Windowing
    from dns_core.video.live import LiveSource

    rules = Rules(Windowing(seconds(window), seconds(hop)), min_score, Budget.parse(budget))
    read = LiveSource(f"/proc/{os.getpid()}/fd/0" if source == "-" else source, tuple(allow_host))
    followed = FollowedIndex(index, models)
    pipeline = followed.searcher.pipeline
    with ExitStack() as opened:
        post = opened.enter_context(Webhook(webhook, unsent, complain)) if webhook else None
        frames = _incoming(opened, read, pipeline.sampling, seconds(duration) if duration else None)
        began = datetime.now(UTC)
        for report in Watcher(followed.engine, pipeline, rules, source).reports(frames):
            line = as_json(report, source, began)
            print_json(line) if json else print_line(as_text(report))
            if post:
                post.send(line)
        complain(summary(source, frames.counts))


def _incoming(
    opened: ExitStack, source: "LiveSource", sampling: "Sampling", duration_s: float | None
) -> "Incoming":
    """The frames of a stream, read from now on until the stack is closed or the time is over."""
    from dns_core.decoding.offline import open_decoder
    from dns_core.fleet import Place
    from dns_core.streams.incoming import Incoming

    decoder = opened.enter_context(closing(open_decoder(Place(threads=1, decoder_s=60.0))))
    frames = Incoming(source, decoder, sampling, say=complain)
    if duration_s is not None:
        stop = threading.Timer(duration_s, frames.stop)
        stop.daemon = True
        stop.start()
        opened.callback(stop.cancel)
    # Ctrl-C ends the stream, so that open events are closed and reported.
    before = signal.signal(signal.SIGINT, lambda *_: frames.stop())
    opened.callback(signal.signal, signal.SIGINT, before)
    return opened.enter_context(frames)


def seconds(text: str) -> float:
    """The seconds that ``8s``, ``2.5`` or ``10m`` says.

    Raises:
        InputError: it says none.
    """
    factor = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(text[-1:])
    try:
        value = float(text[:-1] if factor else text) * (factor or 1.0)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise InputError(f"expected seconds such as 8s, 2.5s or 10m; found {text!r}")
    return value


def as_json(report: "Report", source: str, began: datetime) -> dict[str, Any]:
    """An event for programs; ``started_at`` is when it began, on the machine's clock."""
    started_at = (began + timedelta(seconds=report.event.start_s)).isoformat(timespec="milliseconds")
    return {"source": source, **asdict(report.event), "started_at": started_at, "lag_s": report.lag_s}


def as_text(report: "Report") -> str:
    """An event for people."""
    event = report.event
    what = "began" if event.state == "open" else "ended"
    lag = "" if report.lag_s is None else f", {report.lag_s:.1f} s after its first frame"
    return (
        f"{what} #{event.number}: {clock(event.start_s)}-{clock(event.end_s)} shows {event.video_id} "
        f"{clock(event.target_start_s)}-{clock(event.target_end_s)}, score {event.score:.3f}{lag}"
    )


def summary(source: str, counts: "Counts") -> str:
    """What became of a stream."""
    return (
        f"{source}: {counts.n_frames} frames searched, {counts.n_dropped} dropped to keep up, "
        f"{counts.n_damaged} packets damaged, {counts.n_failures} connections lost"
    )
