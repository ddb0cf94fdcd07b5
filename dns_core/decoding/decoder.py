"""The process that decodes untrusted videos: ``python -m dns_core.decoding.decoder FD LIMITS``.

It reads tasks from a socket and writes what it finds to it, as JSON and plain bytes: a crafted video that
takes over this process cannot make its reader run anything. Its memory, processor time and the size of files
that it writes are limited by the kernel; the process that started it kills it when it takes too long.
"""

import io
import json
import math
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from itertools import repeat
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dns_core.decoding.parent import end_with_parent
from dns_core.errors import VideoError
from dns_core.records import UInt8Array
from dns_core.store.room import is_full
from dns_core.video.decode import Sampling, decode_frames, read_clip
from dns_core.video.encode import write_video
from dns_core.video.grid import Grid
from dns_core.video.live import LiveSource, open_live
from dns_core.video.pdq import photo_hash, video_hashes
from dns_core.video.photo import PHOTO, photo_views, query_facts, read_photo
from dns_core.video.picture import PictureScaler, pixel_ratio
from dns_core.video.probe import StreamFacts, stream_facts
from dns_core.video.stills import frames_at

Task = dict[str, Any]
Answer = Iterator[tuple[dict[str, Any], bytes]]

_MAX_FILES = 64
_MAX_WRITTEN_BYTES = 256 << 20
_CHUNK_FRAMES = 16
_CLIP_FPS = 25.0
_JPEG_QUALITY = 80


def main() -> None:
    """Answer tasks until the other end of the socket is closed."""
    limits = json.loads(sys.argv[2])
    _confine(limits["memory_bytes"])
    end_with_parent()
    # The process at the other end may close it, or end, at any time.
    with Connection(int(sys.argv[1])) as asker, suppress(EOFError, ConnectionError):
        while True:
            task = json.loads(asker.recv_bytes())
            _limit_seconds(limits["seconds"])
            _answer(asker, task, limits)


def _answer(asker: Connection, task: Task, limits: dict[str, Any]) -> None:
    try:
        for header, content in TASKS[task["what"]](Path(task["path"]), task):
            if limits["renewed"]:
                _limit_seconds(limits["seconds"])
            asker.send_bytes(json.dumps({**header, "n_bytes": len(content)}).encode())
            if content:
                asker.send_bytes(content)
        ending: dict[str, object] = {"end": True}
    except VideoError as error:
        ending = {"reason": error.reason, "detail": error.detail}
    except MemoryError:
        ending = {"reason": "too_large", "detail": "decoding the video takes more memory than is allowed"}
    except OSError as error:
        if not is_full(error):
            raise
        ending = {"errno": error.errno}
    asker.send_bytes(json.dumps(ending).encode())


def _frames(path: Path, task: Task) -> Answer:
    """Sampled frames of a stretch, in chunks; of a picture its views."""
    facts = _accepted(path, task)
    if _is_picture(facts):
        yield {"facts": asdict(facts)}, b""
        sampling = Sampling(resize_px=task["resize_px"], crop_px=task["crop_px"], threads=task["threads"])
        views = photo_views(read_photo(path), sampling)
        yield {"times_s": [0.0] * len(views), "side_px": task["crop_px"]}, views.tobytes()
        return
    start_s, stop_s = task["start_s"], min(task["stop_s"] or math.inf, facts.duration_s or math.inf)
    _require_duration(stop_s - start_s if stop_s < math.inf else 0.0, task)
    yield {"facts": asdict(facts)}, b""
    sampling = Sampling(
        fps=task["fps"], resize_px=task["resize_px"], crop_px=task["crop_px"], chunk_frames=_CHUNK_FRAMES,
        threads=task["threads"],
    )  # fmt: skip
    n_frames = 0
    for chunk in decode_frames(path, sampling, start_s=start_s, stop_s=task["stop_s"] or math.inf):
        # What a container says of its length may be a lie.
        _require_duration(float(chunk.times_s[-1]) - start_s, task)
        n_frames += len(chunk.times_s)
        yield {"times_s": chunk.times_s.tolist(), "side_px": task["crop_px"]}, chunk.frames.tobytes()
    if not n_frames:
        raise VideoError("no_frames", f"the video has no picture between {start_s:g} s and its end")


def _stream(_path: Path, task: Task) -> Answer:
    """Whether a stream is live, then its sampled frames one by one, as they come."""
    source = LiveSource(task["address"], tuple(task["allowed"]), task["stall_s"], task["wait_s"])
    with open_live(source) as video:
        yield {"live": video.live}, b""
        video.stream.thread_type = "SLICE"  # threads of frames would hold some back
        video.stream.thread_count = task["threads"]
        scaler = PictureScaler(pixel_ratio(video.stream), task["threads"])
        for frame in Grid(task["fps"]).sampled(video.frames()):
            if frame.picture.width * frame.picture.height > task["max_pixels"]:
                raise VideoError("too_large", f"a frame is over the limit of {task['max_pixels']} px")
            image = scaler.square(frame.picture, task["crop_px"], task["resize_px"])
            head = {"times_s": [frame.time_s], "side_px": task["crop_px"], "n_damaged": video.n_damaged}
            head["jumped"] = video.jumped()
            yield head, image.tobytes()


def _whole(path: Path, task: Task) -> Answer:
    """Whole frames of a video, as `read_clip` gives them, then their rate and times."""
    _accepted(path, task)
    clip = read_clip(path, fps=task["fps"], max_side_px=task["max_side_px"], max_frames=task["max_frames"])
    yield {"shape": clip.frames.shape, "fps": clip.fps, "times_s": clip.source_times_s.tolist()}, b""
    for frame in clip.frames:
        yield {}, frame.tobytes()


def _hashes(path: Path, task: Task) -> Answer:
    """PDQ hashes of a video's frames, or of a picture."""
    is_picture = _is_picture(_accepted(path, task))
    for found in [photo_hash(path)] if is_picture else video_hashes(path, task["every_s"]):
        yield {"hash": asdict(found), "is_picture": is_picture}, b""


def _nothing(_path: Path, _task: Task) -> Answer:
    """Shows that the process answers."""
    yield {}, b""


def _facts(path: Path, task: Task) -> Answer:
    """What the file says of itself."""
    yield {"facts": asdict(_accepted(path, task))}, b""


def _picture(path: Path, task: Task) -> Answer:
    """A JPEG of one moment."""
    facts = _accepted(path, task)
    image = next(_shown(path, facts, [task["at_s"]], task))
    written = io.BytesIO()
    Image.fromarray(image).save(written, "JPEG", quality=_JPEG_QUALITY)
    yield {}, written.getvalue()


def _clip(path: Path, task: Task) -> Answer:
    """An MP4 of a stretch, at a rate and size that a browser plays with ease."""
    facts = _accepted(path, task)
    stop_s = min(task["stop_s"], facts.duration_s or task["stop_s"])
    fps = min(facts.fps or _CLIP_FPS, _CLIP_FPS)
    n_frames = max(1, math.floor((stop_s - task["start_s"]) * fps))
    times_s = (task["start_s"] + np.arange(n_frames) / fps).tolist()
    out = Path(task["scratch"]) / "clip.mp4"
    write_video(out, _shown(path, facts, times_s, task), fps, crf=27)
    yield {}, out.read_bytes()


TASKS: dict[str, Callable[[Path, Task], Answer]] = {
    "nothing": _nothing,
    "stream": _stream,
    "whole": _whole,
    "frames": _frames,
    "facts": _facts,
    "hashes": _hashes,
    "picture": _picture,
    "clip": _clip,
}


def _shown(path: Path, facts: StreamFacts, times_s: list[float], task: Task) -> Iterator[UInt8Array]:
    """What is on the screen at each time; a picture stays there."""
    if not _is_picture(facts):
        yield from frames_at(path, times_s, max_side_px=task["max_side_px"], threads=task["threads"])
        return
    image = Image.fromarray(read_photo(path))
    image.thumbnail((task["max_side_px"], task["max_side_px"]))
    yield from repeat(np.asarray(image), len(times_s))


def _is_picture(facts: StreamFacts) -> bool:
    return facts.codec == PHOTO


def _accepted(path: Path, task: Task) -> StreamFacts:
    """The facts of a video, or picture if the task allows one, whose frames are not too large."""
    facts = query_facts(path) if task["pictures"] else stream_facts(path)
    if facts.width_px * facts.height_px > task["max_pixels"]:
        size = f"{facts.width_px} x {facts.height_px} px"
        raise VideoError("too_large", f"frames of {size} are over the limit of {task['max_pixels']} px")
    return facts


def _require_duration(duration_s: float, task: Task) -> None:
    if duration_s > task["max_duration_s"]:
        limit_s = task["max_duration_s"]
        raise VideoError("too_large", f"{duration_s:.0f} s of video are over the limit of {limit_s:g} s")


def _confine(memory_bytes: int) -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, _MAX_WRITTEN_BYTES),
        (resource.RLIMIT_NOFILE, _MAX_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def _limit_seconds(seconds: float) -> None:
    """Have the kernel end this process after so much more processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


if __name__ == "__main__":
    main()
