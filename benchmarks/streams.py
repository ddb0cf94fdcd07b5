"""Streams with excerpts of an archive in them: which are found, when, and what it costs.

    python -m benchmarks.streams INDEX --videos DIR --hosts DIR [--over hls|tcp|udp|file] [--minutes 20]

A reel is made of clips of other sources with excerpts of indexed videos between them, and sent at live speed
by FFmpeg on loopback; `dns watch` runs beside it. The sender is killed and started again ``--kills`` times.
"""

import argparse
import json
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.stream_reels import FFMPEG, Inserted, pieces, render
from dns_core.index import open_index

_DOWN_S = 4.0
_NEAR_S = 1.0


class Sender:
    """FFmpeg sending the reel at live speed, or faster.

    Attributes:
        began: for each start, the machine's time and the second of the reel.
    """

    def __init__(self, reel: Path, over: str, folder: Path, speed: float) -> None:
        self._reel, self._over, self._folder, self._speed = reel, over, folder, speed
        self.began: list[tuple[float, float]] = []
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._http: ThreadingHTTPServer | None = None
        if over == "hls":
            self._http = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
            threading.Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """What is watched."""
        if self._http:
            return f"http://127.0.0.1:{self._http.server_port}/live.m3u8"
        return f"{self._over}://127.0.0.1:{self._port}"

    def start(self, at_s: float) -> None:
        """Send from a second of the reel on."""
        out = ["-f", "mpegts", f"{self.address}?pkt_size=1316"]
        if self._over == "tcp":
            out = ["-f", "mpegts", f"{self.address}?listen=1"]
        if self._http:
            out = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "8", "-hls_start_number_source", "epoch"]
            out += ["-hls_flags", "delete_segments+temp_file", str(self._folder / "live.m3u8")]
        command = [*FFMPEG, "-readrate", str(self._speed), "-ss", str(at_s), "-i", str(self._reel)]
        self._process = subprocess.Popen([*command, "-c", "copy", *out])  # noqa: S603 - our own command
        self.began.append((time.time(), at_s))

    def kill(self) -> None:
        """End the sender at once, as a fault would."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def wait(self) -> None:
        """Until the reel is sent."""
        if self._process:
            self._process.wait()

    def sent_at(self, reel_s: float) -> float:
        """When a second of the reel was sent."""
        began, at_s = next(((b, a) for b, a in reversed(self.began) if a <= reel_s), self.began[0])
        return began + (reel_s - at_s) / self._speed


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Nothing."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Print one JSON with what was found, and an event a line before it."""
    asked = _arguments()
    index = open_index(asked.index)
    probes = [probe for probe in index.probes if probe]
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        reel, kept = asked.reel or folder / "reel.ts", (asked.reel or folder / "reel.ts").with_suffix(".json")
        if not kept.exists():
            hosts = sorted(asked.hosts.glob("*.mp4"))
            truth = render(reel, pieces(probes, asked.videos, hosts, asked.minutes, asked.n))
            kept.write_text(json.dumps([asdict(one) for one in truth]), encoding="utf-8")
        truth = [Inserted(**one) for one in json.loads(kept.read_text(encoding="utf-8"))]
        print(json.dumps(_run(asked, reel, truth, folder), indent=1))  # noqa: T201


def _run(asked: argparse.Namespace, reel: Path, truth: list[Inserted], folder: Path) -> dict[str, Any]:
    sender = Sender(reel, asked.over, folder, asked.speed)
    source = str(reel) if asked.over == "file" else sender.address
    command = [
        str(Path(sys.executable).with_name("dns")),
        "watch",
        source,
        "--index",
        str(asked.index),
        "--json",
    ]
    watch = subprocess.Popen(  # noqa: S603 - likewise
        [*command, *asked.options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    events, said, memory = list[dict[str, Any]](), list[str](), list[int]()
    readers = [
        threading.Thread(target=_events, args=(watch.stdout, events)),
        threading.Thread(target=_lines, args=(watch.stderr, said)),
    ]
    for reader in readers:
        reader.start()
    began = time.time()
    measured = threading.Thread(target=_memory, args=(watch.pid, memory), daemon=True)
    measured.start()
    if asked.over == "file":
        sender.began.append((began, 0.0))
    else:
        time.sleep(3.0)
        _send(sender, truth, asked.kills)
        time.sleep(12.0)
        watch.send_signal(signal.SIGINT)
    for reader in readers:
        reader.join()
    watch.wait()
    return _figures(sender, truth, events, said, memory) | {"seconds": round(time.time() - began, 1)}


def _send(sender: Sender, truth: list[Inserted], kills: int) -> None:
    """Send the reel; kill the sender between two excerpts, and go on after some seconds."""
    sender.start(0.0)
    for number in range(1, kills + 1):
        after = truth[len(truth) * number // (kills + 1)]
        at_s = after.start_s + after.length_s + 6.0
        time.sleep(max(0.0, sender.sent_at(at_s) - time.time()))
        sender.kill()
        time.sleep(_DOWN_S)
        sender.start(at_s)
    sender.wait()


def _events(lines: Any, events: list[dict[str, Any]]) -> None:
    for line in lines:
        events.append(json.loads(line) | {"seen": time.time()})


def _lines(lines: Any, said: list[str]) -> None:
    said.extend(line.rstrip() for line in lines)


def _memory(pid: int, found: list[int]) -> None:
    """Resident bytes of a process and its children, once a second."""
    process = psutil.Process(pid)
    while process.is_running():
        try:
            found.append(sum(p.memory_info().rss for p in (process, *process.children())))
        except psutil.Error:
            return
        time.sleep(1.0)


def _figures(
    sender: Sender, truth: list[Inserted], events: list[dict[str, Any]], said: list[str], memory: list[int]
) -> dict[str, Any]:
    opened = [event for event in events if event["state"] == "open"]
    closed = [event for event in events if event["state"] == "closed"]
    begins = {event["number"]: event["seen"] for event in opened}
    lags, errors, missed, right = list[float](), list[float](), list[str](), set[int]()
    for one in truth:
        fits = [event for event in closed if event["video_id"] == one.video_id and _overlap(event, one) > 0]
        right.update(event["number"] for event in fits)
        if not fits:
            missed.append(one.video_id)
            continue
        lags.append(min(begins[event["number"]] for event in fits) - sender.sent_at(one.start_s))
        errors.append(_error_s(fits, one))
    others = [event for event in closed if event["number"] not in right]
    cuts = statistics.quantiles(lags, n=20) if len(lags) > 1 else [0.0] * 19
    return {
        "inserted": len(truth), "found": len(truth) - len(missed), "missed": missed,
        "others": [{k: event[k] for k in ("video_id", "score", "start_s", "end_s")} for event in others],
        "lag_median_s": round(statistics.median(lags), 2) if lags else None, "lag_p95_s": round(cuts[18], 2),
        "error_max_s": round(max(errors), 2) if errors else None,
        "errors_over_1_s": sum(error > _NEAR_S for error in errors),
        "memory_mb": [round(memory[k] / 1e6) for k in range(0, len(memory), max(1, len(memory) // 8))],
        "said": said,
    }  # fmt: skip


def _overlap(event: dict[str, Any], one: Inserted) -> float:
    """Seconds of the indexed video that an event and an excerpt share."""
    end_s = one.target_start_s + one.length_s
    return float(min(event["target_end_s"], end_s) - max(event["target_start_s"], one.target_start_s))


def _error_s(fits: list[dict[str, Any]], one: Inserted) -> float:
    """How far begin or end in the indexed video is from the truth, the worse of the two."""
    first = min(event["target_start_s"] for event in fits)
    last = max(event["target_end_s"] for event in fits)
    return float(max(abs(first - one.target_start_s), abs(last - one.target_start_s - one.length_s)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("--videos", type=Path, required=True, help="the indexed folder")
    parser.add_argument("--hosts", type=Path, required=True, help="clips of other sources")
    parser.add_argument("--over", choices=("hls", "tcp", "udp", "file"), default="tcp")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--n", type=int, default=30, help="excerpts")
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--reel", type=Path, help="kept, or used again")
    parser.add_argument("options", nargs="*", help="after --, for dns watch")
    return parser.parse_args()


if __name__ == "__main__":
    main()
