"""A reel of other footage with excerpts of indexed videos between it, and where they are."""

import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dns_core.records import VideoProbe

FFMPEG = ("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y")
FPS = 25
SIDE = "640:360"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a file in the reel; ``video_id`` is empty for other footage."""

    path: Path
    start_s: float
    length_s: float
    video_id: str = ""


@dataclass(frozen=True, slots=True)
class Inserted:
    """An excerpt: where it is in the reel and in its video."""

    video_id: str
    start_s: float
    length_s: float
    target_start_s: float


def pieces(probes: list[VideoProbe], videos: Path, hosts: list[Path], minutes: float, n: int) -> list[Piece]:
    """Other footage and excerpts in turn."""
    chance = random.Random(0)  # noqa: S311 - not for secrets
    long = [probe for probe in probes if probe.duration_s >= 9]
    step_s, found = minutes * 60 / n, list[Piece]()
    queue = list[Path]()
    for probe in chance.sample(long, n):
        length_s = round(chance.uniform(6, min(12, probe.duration_s - 1)) * FPS) / FPS
        start_s = round(chance.uniform(0, probe.duration_s - length_s - 0.5) * FPS) / FPS
        filled_s = 0.0
        while filled_s < step_s - length_s:
            queue = queue or chance.sample(hosts, len(hosts))
            take_s = round(min(8.0, step_s - length_s - filled_s) * FPS) / FPS
            found.append(Piece(queue.pop(), 0.0, max(take_s, 1 / FPS)))
            filled_s += max(take_s, 1 / FPS)
        found.append(Piece(videos / probe.video_id, start_s, length_s, probe.video_id))
    return found


def render(reel: Path, parts: list[Piece]) -> list[Inserted]:
    """Write the reel as MPEG-TS; a piece that its file is too short for is as long as it lasts."""
    truth, at_s = list[Inserted](), 0.0
    picture = f"scale={SIDE}:force_original_aspect_ratio=decrease,pad={SIDE}:-1:-1,setsar=1,fps={FPS}"
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv420p")
    encode = [*FFMPEG, *raw, "-s", SIDE.replace(":", "x"), "-r", str(FPS), "-i", "-", "-c:v", "libx264"]
    encode += [
        "-preset",
        "ultrafast",
        "-g",
        str(FPS),
        "-crf",
        "25",
        "-threads",
        "1",
        "-f",
        "mpegts",
        str(reel),
    ]
    with subprocess.Popen(encode, stdin=subprocess.PIPE) as encoder:  # noqa: S603 - our own command
        for part in parts:
            read = [*FFMPEG, "-threads", "1", "-ss", str(part.start_s), "-i", str(part.path), "-vf", picture]
            read += ["-frames:v", str(round(part.length_s * FPS)), "-an", *raw, "-"]
            pictures = subprocess.run(read, stdout=subprocess.PIPE, check=False).stdout  # noqa: S603 - likewise
            if encoder.stdin:
                encoder.stdin.write(pictures)
            length_s = len(pictures) / (640 * 360 * 1.5) / FPS
            if part.video_id:
                truth.append(Inserted(part.video_id, at_s, length_s, part.start_s))
            at_s += length_s
    return truth
