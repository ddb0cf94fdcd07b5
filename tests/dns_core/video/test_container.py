"""What is refused, and under which reason; no file makes FFmpeg open another."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from dns_core.errors import VideoError
from dns_core.video import Sampling, container, decode_frames, probe_video, read_clip

MakeVideo = Callable[..., Path]


def reason(path: Path) -> str:
    """The reason that probing, sampling and reading agree on."""
    reasons = set()
    for read in (
        lambda: probe_video(path, "v"),
        lambda: list(decode_frames(path, Sampling())),
        lambda: read_clip(path),
    ):
        with pytest.raises(VideoError) as caught:
            read()
        reasons.add(caught.value.reason)
        assert str(path) in caught.value.detail
    assert len(reasons) == 1
    return reasons.pop()


def test_paths_that_hold_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "link.mp4").symlink_to(tmp_path / "nothing")
    (tmp_path / "empty.mp4").touch()
    os.mkfifo(tmp_path / "pipe.mp4")
    assert reason(tmp_path / "none.mp4") == "missing"
    assert reason(tmp_path / "link.mp4") == "missing"
    assert reason(tmp_path / ("x" * 300)) == "missing"
    assert reason(tmp_path / "folder.mp4") == "not_a_file"
    assert reason(tmp_path / "pipe.mp4") == "not_a_file"
    assert reason(tmp_path / "empty.mp4") == "empty"


def test_a_file_that_may_not_be_read(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video("v.mp4")
    if os.geteuid() == 0:  # root reads everything: let the operating system's answer be another

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    path.chmod(0)
    assert reason(path) == "no_permission"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("note.txt", "hello\n" * 100),
        ("note.mp4", "hello\n" * 100),
        ("art.ans", "\x1b[31mhello\n" * 100),
        ("subtitles.srt", "1\n00:00:01,000 --> 00:00:02,000\nhello\n"),
        ("subtitles.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nhello\n"),
        ("picture.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>'),
        (
            "stream.sdp",
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        ),
        ("random.mp4", "\x07\x81" * 5000),
    ],
)
def test_text_and_noise_are_no_videos(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert reason(tmp_path / name) == "not_a_video"


@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.ffconcat", "list.mpd"])
@pytest.mark.parametrize("kind", ["hls", "concat", "dash"])
def test_playlists_open_no_other_file(make_video: MakeVideo, tmp_path: Path, name: str, kind: str) -> None:
    secret = make_video("secret.ts")
    text = {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '{secret.name}'\n",
        "dash": f'<?xml version="1.0"?><MPD type="static"><BaseURL>{secret}</BaseURL></MPD>',
    }[kind]
    (tmp_path / name).write_text(text)
    assert reason(tmp_path / name) == "not_a_video"


@pytest.mark.parametrize(
    "name", ["s.jpg", "s.png", "s.bmp", "s.tiff", "s.webp", "s.avif", "jpeg.mp4", "jpeg.mjpg"]
)
def test_still_images_are_no_videos(tmp_path: Path, name: str) -> None:
    image = Image.fromarray(np.full((32, 32, 3), 200, np.uint8))
    image.save(tmp_path / name, format="JPEG" if name.startswith("jpeg") else None)
    with pytest.raises(VideoError, match="image") as caught:
        probe_video(tmp_path / name, name)
    assert reason(tmp_path / name) == caught.value.reason == "not_a_video"


def test_numbered_images_are_not_gathered(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / f"i{number}.png")
    assert reason(tmp_path / "i%d.png") == "missing"


@pytest.mark.parametrize("name", ["sound.mp4", "sound.mkv", "sound.wav"])
def test_sound_alone(make_video: MakeVideo, name: str) -> None:
    assert reason(make_video(name, codec=None, audio_s=0.5)) == "no_video_stream"


def test_cover_art_is_no_footage(make_video: MakeVideo) -> None:
    cover = {"codec": "mjpeg", "pix_fmt": "yuvj420p", "disposition": Disposition.attached_pic}
    path = make_video("song.mp4", np.zeros((1, 32, 32, 3), np.uint8), audio_s=0.5, **cover)
    assert reason(path) == "no_video_stream"


def test_names_are_never_protocols(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video("v.mp4")
    monkeypatch.chdir(path.parent)
    assert reason(Path("concat:v.mp4|v.mp4")) == "missing"
    path.rename(path.parent / "subfile,,start,0,end,9,,:v.mp4")
    assert probe_video(Path("subfile,,start,0,end,9,,:v.mp4"), "v").duration_s == pytest.approx(1.0)


def test_an_index_without_frames(make_video: MakeVideo) -> None:
    path = make_video("v.mp4", container_options={"movflags": "faststart"})
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 8])
    assert reason(path) == "corrupt"


def test_a_file_without_its_index(make_video: MakeVideo) -> None:
    path = make_video("v.mp4")
    path.write_bytes(path.read_bytes()[:-600])
    assert reason(path) == "corrupt"


def test_frames_that_are_all_noise(make_video: MakeVideo) -> None:
    path = make_video("v.mp4", container_options={"movflags": "faststart"})
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    content[start:] = np.random.default_rng(1).bytes(len(content) - start)
    path.write_bytes(content)
    assert reason(path) == "corrupt"


def test_a_matroska_header_alone_has_no_frames(make_video: MakeVideo) -> None:
    path = make_video("v.mkv")
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\x1f\x43\xb6\x75")])  # up to the first cluster
    assert reason(path) in {"no_frames", "corrupt"}


def test_frames_beyond_the_limit(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video("v.mp4")
    monkeypatch.setattr(container, "MAX_FRAME_PIXELS", 64 * 48 - 1)
    assert reason(path) == "too_large"


def test_a_few_bytes_that_ask_for_gigabytes(tmp_path: Path) -> None:
    header = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6)
    image = b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x44\x01\x00;"
    (tmp_path / "bomb.gif").write_bytes(header + image)
    # FFmpeg is told the limit too and refuses to unpack it; only then is the size not known any more.
    assert reason(tmp_path / "bomb.gif") in {"too_large", "corrupt"}
