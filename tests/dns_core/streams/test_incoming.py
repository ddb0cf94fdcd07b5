"""Streams as they come, on loopback: broken off and there again, garbage, playlists that point elsewhere."""

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from dns_core.decoding.decoders import Decoders
from dns_core.decoding.process import Limits
from dns_core.errors import InputError, VideoError
from dns_core.streams.incoming import Incoming, StreamFrame
from dns_core.video.decode import Sampling
from dns_core.video.live import LiveSource

SECONDS = 3
FPS = 10


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three seconds as MPEG-TS."""
    path = tmp_path_factory.mktemp("reel") / "reel.ts"
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", FPS)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(SECONDS * FPS):
            image = np.full((64, 96, 3), 8 * number % 256, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    with closing(Decoders(1, Limits(4 << 30, 60, 10**8, 1e6), lazy=True)) as found:
        yield found


@contextmanager
def sent(*contents: bytes) -> Iterator[str]:
    """The address of a sender that gives one content to each connection, and then is gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            for content in contents:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(content)
            server.close()

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def read(
    decoders: Decoders, address: str, enough: Callable[[list[StreamFrame]], bool]
) -> tuple[list[StreamFrame], Incoming, list[str]]:
    said: list[str] = []
    frames: list[StreamFrame] = []
    sampling = Sampling(2.0, 64, 64)
    with Incoming(
        LiveSource(address, stall_s=1.0, wait_s=0.5), decoders, sampling, first_pause_s=0.05, say=said.append
    ) as incoming:
        for frame in incoming:
            frames.append(frame)
            if enough(frames):
                incoming.stop()
    return frames, incoming, said


def test_a_file_is_read_whole_on_a_clock_that_begins_at_nought(
    decoders: Decoders, reel: bytes, tmp_path: Path
) -> None:
    (tmp_path / "reel.ts").write_bytes(reel)
    frames, incoming, said = read(decoders, str(tmp_path / "reel.ts"), lambda _: False)
    assert frames[0].time_s == pytest.approx(0.0, abs=0.01)
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(0, SECONDS, 0.5), abs=0.11)
    assert (incoming.counts.n_failures, incoming.counts.n_dropped, said) == (0, 0, [])


def test_a_sender_that_breaks_off_is_asked_again_and_time_goes_on(decoders: Decoders, reel: bytes) -> None:
    with sent(reel, b"", reel) as address:
        frames, incoming, said = read(decoders, address, lambda found: len(found) >= 10)
    times_s = [frame.time_s for frame in frames]
    assert times_s == sorted(set(times_s))
    assert incoming.counts.n_connections == 2
    assert incoming.counts.n_failures >= 2
    ended, again = f"{address} has ended; trying again until it is there", f"{address} is there again"
    assert said[:2] == [ended, again]


def test_garbage_is_one_sentence_and_another_try(decoders: Decoders, reel: bytes) -> None:
    garbage = np.random.default_rng(0).bytes(300_000)
    with sent(garbage, reel) as address:
        frames, incoming, said = read(decoders, address, lambda found: len(found) >= 3)
    assert len(frames) >= 3
    assert incoming.counts.n_failures >= 1
    assert said
    assert all("\n" not in line for line in said)


def test_a_playlist_that_points_to_another_host_is_refused(decoders: Decoders) -> None:
    asked: list[str] = []

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    class Playlists(Other):
        def do_GET(self) -> None:
            body = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:{other.server_port}/x.ts\n".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as other,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Playlists) as playlists,
    ):
        for server in (other, playlists):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{playlists.server_port}/live.m3u8"
        with pytest.raises(VideoError, match=r"the stream points to http://127\.0\.0\.1:\d+, not 127"):
            read(decoders, address, lambda _: True)
        for server in (other, playlists):
            server.shutdown()
    assert asked == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "concat://a", "ftp://127.0.0.1/x", "pipe://0"])
def test_other_protocols_are_refused(address: str) -> None:
    with pytest.raises(InputError, match="expected a file, - or an address of"):
        LiveSource(address)
