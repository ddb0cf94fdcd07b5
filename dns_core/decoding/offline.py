"""Decoding of the files of an archive: confined, and tried again if the decoder dies."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from dns_core.decoding.decoders import Decoders
from dns_core.decoding.process import BrokenDecoderError, Limits
from dns_core.errors import VideoError
from dns_core.fleet import TRIES, Place
from dns_core.records import VideoProbe
from dns_core.video.container import MAX_FRAME_PIXELS
from dns_core.video.decode import FrameChunk
from dns_core.video.probe import StreamFacts, content_digest

T = TypeVar("T")


def open_decoder(place: Place | None = None) -> Decoders:
    """One decoder of files of an archive; its process starts when it is first needed.

    Frames may be as large as `dns_core.video` reads, and videos of any length: what is limited is the memory,
    and the time without an answer.
    """
    place = place or Place()
    limits = Limits(
        memory_bytes=place.decoder_bytes,
        seconds=place.decoder_s,
        max_pixels=MAX_FRAME_PIXELS,
        max_duration_s=float("inf"),
        threads=place.threads,
        renewed=True,
        module=place.decoder,
    )
    return Decoders(1, limits, lazy=True, show_paths=True)


def tried(attempt: Callable[[], T]) -> T:
    """What an attempt returns; it is repeated if the decoder dies.

    Raises:
        VideoError: the video cannot be used, or the decoder died on it three times.
    """
    for number in range(1, TRIES + 1):
        try:
            return attempt()
        except BrokenDecoderError as error:
            if number == TRIES:
                raise VideoError(error.reason, f"{error.detail} ({TRIES} times)") from error
    raise AssertionError  # the loop returns or raises


def probe(decoder: Decoders, path: Path, video_id: str, sha256: str = "") -> VideoProbe:
    """`dns_core.video.probe_video` of a file, confined.

    Args:
        decoder: of `open_decoder`.
        path: the file.
        video_id: written into the record.
        sha256: of the content, if it is known.

    Raises:
        VideoError: the file cannot be used.
    """
    digest = sha256 or content_digest(path)
    return probe_of(tried(lambda: decoder.facts(path, pictures=False)), path, video_id, digest)


def probe_of(facts: StreamFacts, path: Path, video_id: str, sha256: str) -> VideoProbe:
    """What a file says of itself, with its size and digest."""
    return VideoProbe(video_id=video_id, n_bytes=path.stat().st_size, sha256=sha256, **asdict(facts))


def frame_chunks(
    found: Generator[StreamFacts | FrameChunk, None, None],
) -> Generator[FrameChunk, None, None]:
    """The chunks of `Decoders.frames`, whose facts were read before; closing it stops the decoder."""
    with closing(found):
        for part in found:
            if isinstance(part, FrameChunk):
                yield part
