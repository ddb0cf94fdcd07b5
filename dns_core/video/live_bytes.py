"""Bytes of a stream for FFmpeg: of the one address that was asked for, or of a file that grows."""

import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from dns_core.errors import VideoError

HTTP_SCHEMES = ("http", "https")

_PLAYLIST_BYTES = 1 << 20
_PLAYLIST_HEAD = b"#EXTM3U"
_PLAYLIST_END = b"#EXT-X-ENDLIST"
_POLL_S = 0.1
_FTYP = slice(4, 8)


class HttpBytes:
    """Opens addresses over HTTP for FFmpeg, as the ``io_open`` of `av.open`; other hosts are refused.

    Args:
        address: that was asked for.
        allowed: other hosts that a playlist may name.
        timeout_s: for a connection, and for the next bytes.

    Attributes:
        refused: why an address was refused; empty if none was.
        failed: why an address could not be read; empty once one is.
        live: whether no finished playlist was read.
    """

    def __init__(self, address: str, allowed: Collection[str], timeout_s: float) -> None:
        self._hosts = {_host(address), *allowed}
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _SameHosts(self))
        self.refused = ""
        self.failed = ""
        self.live = True

    def __call__(self, address: str, _flags: int, _options: Mapping[str, str]) -> "BytesIO | _OneWay":
        """The body of what is at an address.

        Raises:
            OSError: it is refused, or does not answer.
        """
        self.check(address)
        request = urllib.request.Request(address, headers={"User-Agent": "dns-watch"})  # noqa: S310 - checked
        try:
            body = self._opener.open(request, timeout=self._timeout_s)
        except (OSError, http.client.HTTPException) as error:
            self.failed = f"{address}: {error}"
            raise OSError(self.failed) from error
        self.failed = ""
        return self._playlist(body) if _is_playlist(address, body) else _OneWay(body)

    def check(self, address: str) -> None:
        """Refuse an address of another host or another protocol.

        Raises:
            OSError: it is.
        """
        parts = urlsplit(address)
        if parts.scheme in HTTP_SCHEMES and _host(address) in self._hosts:
            return
        self.refused = self.refused or (
            f"the stream points to {parts.scheme}://{parts.netloc}, not {', '.join(sorted(self._hosts))}; "
            "allow the other host if you trust it"
        )
        raise OSError(self.refused)

    def _playlist(self, body: "IO[bytes]") -> BytesIO:
        with body:
            text = body.read(_PLAYLIST_BYTES)
        if text.startswith(_PLAYLIST_HEAD):
            self.live = self.live and _PLAYLIST_END not in text
        return BytesIO(text)


class _SameHosts(urllib.request.HTTPRedirectHandler):
    def __init__(self, asker: HttpBytes) -> None:
        self._asker = asker

    def redirect_request(self, *args: Any) -> Any:
        """As the library, to hosts that are allowed."""
        self._asker.check(args[-1])
        return super().redirect_request(*args)


class _OneWay:
    """A body that cannot be sought in, with only what FFmpeg calls."""

    def __init__(self, body: "IO[bytes]") -> None:
        self._body = body
        self.close = body.close

    def read(self, size: int) -> bytes:
        return self._body.read(size)


class GrowingBytes:
    """A file or a pipe; at its end more is waited for.

    Args:
        path: of it.
        wait_s: seconds without a new byte after which a file is at its end; a pipe ends when it is closed.

    Raises:
        VideoError: ``missing`` or ``no_permission``.
    """

    def __init__(self, path: Path, wait_s: float) -> None:
        try:
            self._file = path.open("rb", buffering=0)
        except PermissionError as error:
            raise VideoError("no_permission", f"{path} may not be read") from error
        except OSError as error:
            raise VideoError("missing", f"{path} cannot be found: {error}") from error
        self.is_pipe = not self._file.seekable()
        self._wait_s = 0.0 if self.is_pipe else wait_s
        if not self.is_pipe and self._file.read(8)[_FTYP] == b"ftyp":
            self.seek = self._file.seek  # its table of contents may be at its end
            self.tell = self._file.tell
        if not self.is_pipe:
            self._file.seek(0)

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end."""
        patient_until = time.monotonic() + self._wait_s
        while True:
            if found := os.read(self._file.fileno(), size):
                return found
            if time.monotonic() >= patient_until:
                return b""
            time.sleep(_POLL_S)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _host(address: str) -> str:
    """Host and port, as one host may serve several users."""
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _is_playlist(address: str, body: Any) -> bool:
    return urlsplit(address).path.endswith((".m3u8", ".m3u")) or "mpegurl" in (
        body.headers.get("Content-Type") or ""
    )
