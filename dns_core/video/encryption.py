"""Whether a film is locked: without its key a decoder makes noise of it, or nothing."""

from collections.abc import Sequence
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from dns_core.video.boxes import sample_entries

# What MP4 calls the samples of common encryption, and of a shop's own.
_LOCKED_SAMPLES = {b"encv", b"drmi"}
# Packets of a transport stream lie this far apart: as they are sent, and on Blu-ray discs.
_TS_STEPS_BYTES = (188, 192)
_TS_LOOKED_AT_BYTES = 4 << 20
_TS_SYNCS = 5


def is_encrypted(container: InputContainer, path: Path, readable: Sequence[VideoStream]) -> bool:
    """Whether the container says that its films, of which ``readable`` can be decoded, are encrypted.

    Some formats say it of each packet only: see `dns_core.video.packets`.
    """
    names = container.format.name.split(",")
    if "mp4" in names:
        return not _LOCKED_SAMPLES.isdisjoint(sample_entries(path))
    if "matroska" in names:
        return any("enc_key_id" in stream.metadata for stream in readable)
    return "mpegts" in names and _is_scrambled(path, {stream.id for stream in readable})


def _is_scrambled(path: Path, films: set[int]) -> bool:
    """Whether most packets of a transport stream's ``films`` bear the mark of scrambling."""
    with path.open("rb") as file:
        content = file.read(_TS_LOOKED_AT_BYTES)
    heads = [content[place : place + 4] for place in _ts_packets(content)]
    of_films = [flags for _, high, low, flags in heads if (high & 0x1F) << 8 | low in films]
    return 2 * sum(bool(flags & 0xC0) for flags in of_films) > len(of_films)


def _ts_packets(content: bytes) -> range:
    """Where packets begin, from the first few that follow one another on."""
    for step in _TS_STEPS_BYTES:
        for start in range(step):
            if all(content[start + n * step : start + n * step + 1] == b"G" for n in range(_TS_SYNCS)):
                return range(start, len(content) - 3, step)
    return range(0)
