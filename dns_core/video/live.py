"""Pictures of a stream as it comes: a file that grows, a pipe, or one network address.

What FFmpeg may open is narrow: of a network protocol the address that was asked for, over HTTP every address
through `HttpBytes`, of the disk the file alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from dns_core.errors import InputError, VideoError
from dns_core.video.clock import Clock, longest_gap_s
from dns_core.video.container import DEMUXERS, MAX_FRAME_PIXELS, describe
from dns_core.video.footage import footage_of
from dns_core.video.frames import TimedFrame
from dns_core.video.live_bytes import HTTP_SCHEMES, GrowingBytes, HttpBytes

_NETWORK = {
    "tcp": "tcp",
    "udp": "udp",
    "rtp": "rtp,udp",
    "rtsp": "rtsp,rtp,tcp,udp",
    "rtsps": "rtsp,rtsps,rtp,tcp,tls",
    "srt": "srt",
}
# Segments are opened one by one, so that each address is checked; the newest is the first, for little delay.
_HLS = {"http_persistent": "0", "http_multiple": "0", "live_start_index": "-1"}
_PROTOCOL_OPTIONS = {
    "udp": {"fifo_size": "20000", "overrun_nonfatal": "1"},
    "rtsp": {"rtsp_transport": "tcp"},  # over the one connection, not to ports that the server names
    "rtsps": {"rtsp_transport": "tcp"},
}
_LOOKED_AT = {"probesize": "2000000", "analyzeduration": "2000000", "max_pixels": str(MAX_FRAME_PIXELS)}


@dataclass(frozen=True, slots=True)
class LiveSource:
    """A stream and how it is read.

    Attributes:
        address: a path, or ``scheme://...``.
        allowed: hosts, as ``host:port``, that a playlist may name besides its own.
        stall_s: seconds without a byte after which a connection is given up.
        wait_s: seconds without a new byte after which a file is at its end.

    Raises:
        InputError: the protocol is not one that can be read.
    """

    address: str
    allowed: tuple[str, ...] = ()
    stall_s: float = 8.0
    wait_s: float = 3.0

    def __post_init__(self) -> None:
        if self.scheme and self.scheme not in (*HTTP_SCHEMES, *_NETWORK):
            known = ", ".join((*HTTP_SCHEMES, *_NETWORK))
            raise InputError(f"expected a file, - or an address of {known}; found {self.scheme}://")

    @property
    def scheme(self) -> str:
        """Of the address; empty for a file."""
        return urlsplit(self.address).scheme.lower() if "://" in self.address else ""


class LiveVideo:
    """An opened stream.

    Attributes:
        live: whether it comes at the speed of the clock, so that who is slow must leave something out.
        n_damaged: packets that could not be decoded.
        stream: the footage.
    """

    def __init__(self, container: InputContainer, http: HttpBytes | None, *, live: bool, name: str) -> None:
        self._container, self._http, self._name = container, http, name
        self.live = live
        self.n_damaged = 0
        self._clock: Clock | None = None
        self.stream: VideoStream = footage_of(container, Path(name), stream=True)

    def frames(self) -> Iterator[TimedFrame]:
        """Pictures until the stream ends, with times that only increase from about 0.

        Raises:
            VideoError: ``unreachable`` when it breaks off, ``not_allowed`` if it points elsewhere.
        """
        self._clock = clock = Clock(self.stream, longest_gap_s(self._container))
        packets = self._container.demux(self.stream)
        try:
            for packet in packets:
                if self._http and self._http.refused:
                    raise VideoError("not_allowed", self._http.refused)
                for picture in self._decoded(packet):
                    time_s = clock.read(picture)
                    yield TimedFrame(time_s, time_s + clock.length_s(picture), picture)
        except (av.FFmpegError, OSError) as error:
            raise broken(self._name, error, self._http) from error
        if self._http and self._http.refused:
            raise VideoError("not_allowed", self._http.refused)

    def jumped(self) -> bool:
        """Whether the stamps have jumped since this was last asked."""
        jumped = self._clock is not None and self._clock.jumped
        if self._clock is not None:
            self._clock.jumped = False
        return jumped

    def _decoded(self, packet: Any) -> Any:
        try:
            return self.stream.decode(packet)
        except av.FFmpegError:
            self.n_damaged += 1
            return []


@contextmanager
def open_live(source: LiveSource) -> Iterator[LiveVideo]:
    """A stream, opened; closed when the block ends.

    Args:
        source: what to open.

    Raises:
        VideoError: ``unreachable``, ``not_allowed``, ``not_a_video``, ``no_video_stream``, or as of a file.
    """
    http: HttpBytes | None = None
    try:
        if not source.scheme:
            found = GrowingBytes(Path(source.address), source.wait_s)
            options = {**_LOOKED_AT, "format_whitelist": DEMUXERS, "protocol_whitelist": "none"}
            container, live = av.open(found, "r", options=options, metadata_errors="replace"), False
        elif source.scheme in HTTP_SCHEMES:
            http = HttpBytes(source.address, source.allowed, source.stall_s)
            container = _opened_http(source, http)
            live = http.live
        else:
            container, live = _opened_network(source), True
    except (av.FFmpegError, OSError) as error:
        raise broken(source.address, error, http) from error
    with container:
        yield LiveVideo(container, http, live=live, name=source.address)


def _opened_http(source: LiveSource, http: HttpBytes) -> InputContainer:
    options = {
        **_LOOKED_AT,
        "format_whitelist": f"hls,{DEMUXERS}",
        "protocol_whitelist": "http,https",
    }
    return av.open(
        source.address, "r", options=options, container_options=_HLS, io_open=http,
        timeout=(2 * source.stall_s, source.stall_s), metadata_errors="replace",
    )  # fmt: skip


def _opened_network(source: LiveSource) -> InputContainer:
    options = {
        **_LOOKED_AT,
        **_PROTOCOL_OPTIONS.get(source.scheme, {}),
        "format_whitelist": f"rtsp,rtp,sdp,{DEMUXERS}" if source.scheme.startswith("rt") else DEMUXERS,
        "protocol_whitelist": _NETWORK[source.scheme],
    }
    timeout = (2 * source.stall_s, source.stall_s)
    return av.open(source.address, "r", options=options, timeout=timeout, metadata_errors="replace")


def broken(name: str, error: Exception, http: HttpBytes | None) -> VideoError:
    """Why a stream cannot be read (any more), in one sentence."""
    if http and http.refused:
        return VideoError("not_allowed", http.refused)
    if isinstance(error, av.error.InvalidDataError):
        return VideoError("not_a_video", f"{name} is in no video format known here")
    if isinstance(error, av.error.ProtocolNotFoundError):
        return VideoError("unreachable", f"FFmpeg does not speak {urlsplit(name).scheme} here: {name}")
    if isinstance(error, av.error.ExitError):
        return VideoError("unreachable", f"{name} sends nothing")
    said = http.failed if http and http.failed else ""
    words = describe(error) if isinstance(error, av.FFmpegError) else str(error)
    return VideoError("unreachable", said or f"{name}: {words}")
