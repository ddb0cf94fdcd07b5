"""The packets of an open container, as far as it can be read."""

from collections.abc import Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from dns_core.errors import VideoError
from dns_core.video.container import describe


def readable_packets(
    container: InputContainer, stream: VideoStream, path: Path, damage: list[str]
) -> "Iterator[Packet[VideoStream] | None]":
    """The packets of a stream, then None, which flushes the decoder; a break ends them and is noted.

    Args:
        container: opened by `open_video`.
        stream: of which the packets are.
        path: named in errors.
        damage: a description is appended if the container breaks.

    Raises:
        VideoError: ``encrypted`` at the first packet that cannot be decoded without a key.
    """
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except av.FFmpegError as error:
            damage.append(describe(error))
            break
        if packet.has_sidedata("encryption_info"):
            raise VideoError("encrypted", f"{path} is encrypted and cannot be decoded without its key")
        if packet.size:  # FFmpeg's own flushing packet is empty
            yield packet
    yield None
