"""Odd files, a few kilobytes each, as FFmpeg writes them.

    python -m tests.dns_core.video.odd_files DIR

What is right of each stands in `test_odd_files.py`; ``ffprobe`` says it too.
"""

import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_MOTION = "-f lavfi -i testsrc2=d=3:s=160x96:r=5"
_LONGER = "-f lavfi -i testsrc2=d=8:s=160x96:r=5"
_FAST = "-f lavfi -i testsrc2=d=3:s=160x96:r=25"
_SOUND = "-f lavfi -i sine=440:d=9"
_X264 = "-c:v libx264 -preset ultrafast -crf 40 -pix_fmt yuv420p"
_B_PICTURES = "-c:v libx264 -preset veryfast -crf 40 -pix_fmt yuv420p -bf 3"
_PICTURE = "-f lavfi -i testsrc2=d=0.2:s=320x240:r=5"
_SLIDES = "-f lavfi -i testsrc2=d=3:s=160x96:r=1,setpts=4*PTS"
_COVER = "-c:v:0 mjpeg -pix_fmt:v:0 yuvj420p -c:v:1 libx264 -crf 40 -pix_fmt:v:1 yuv420p"
_KEY = "-encryption_scheme cenc-aes-ctr -encryption_key " + "0123456789abcdef" * 2
_PACKET = 188

RECIPES: dict[str, str] = {
    # containers and codecs
    "h264.mp4": f"{_MOTION} {_X264}",
    "fragmented.mp4": f"{_MOTION} {_X264} -g 5 -movflags frag_keyframe+empty_moov",
    "hevc.mp4": f"{_MOTION} -c:v libx265 -preset ultrafast -crf 45 -x265-params log-level=none -tag:v hvc1",
    "av1.mp4": f"{_MOTION} -c:v libaom-av1 -cpu-used 8 -crf 60",
    "vp8.webm": f"{_MOTION} -c:v libvpx -b:v 100k",
    "vp9.webm": f"{_MOTION} -c:v libvpx-vp9 -b:v 100k -deadline realtime",
    "mpeg4.avi": f"{_MOTION} -c:v mpeg4 -bf 2",
    "msmpeg4.avi": f"{_MOTION} -c:v msmpeg4",
    "mjpeg.avi": f"{_MOTION} -c:v mjpeg -pix_fmt yuvj420p",
    "cinepak.avi": f"{_MOTION} -c:v cinepak",
    "huffyuv.avi": f"{_MOTION} -c:v huffyuv",
    "mpeg1.mpg": f"{_FAST} -c:v mpeg1video",
    "mpeg2.vob": f"{_FAST} -c:v mpeg2video -bf 2 -f vob",
    "wmv1.wmv": f"{_MOTION} -c:v wmv1",
    "flv1.flv": f"{_MOTION} -c:v flv",
    "screen.flv": f"{_MOTION} -c:v flashsv",
    "theora.ogv": f"{_MOTION} -c:v libtheora",
    "prores.mov": f"{_MOTION} -c:v prores",
    "animation.mov": f"{_MOTION} -c:v qtrle",
    "svq1.mov": f"{_MOTION} -c:v svq1",
    "dnxhr.mxf": "-f lavfi -i testsrc2=d=1:s=256x144:r=25 -c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p",
    "rv20.rm": f"{_FAST} -c:v rv20",
    "h263.3gp": "-f lavfi -i testsrc2=d=3:s=176x144:r=5 -c:v h263",
    "h264.ts": f"{_MOTION} {_B_PICTURES}",
    "h264.m2ts": f"{_MOTION} {_X264} -mpegts_m2ts_mode 1",
    "ffv1.nut": f"{_MOTION} -c:v ffv1",
    "vc2.mkv": f"{_MOTION} -c:v vc2 -b:v 200k",
    "plain.y4m": f"{_MOTION} -pix_fmt yuv420p",
    "motion.gif": f"{_MOTION}",
    "motion.apng": f"{_MOTION} -f apng -plays 0",
    # colours
    "10bit.mp4": f"{_MOTION} -c:v libx265 -pix_fmt yuv420p10 -x265-params log-level=none",
    "grey.mp4": f"{_MOTION} -c:v libx264 -pix_fmt gray",
    "444.mp4": f"{_MOTION} -c:v libx264 -pix_fmt yuv444p",
    "deep.mov": f"{_MOTION} -c:v png -pix_fmt rgb48be",
    "alpha.webm": f"{_MOTION} -c:v libvpx-vp9 -pix_fmt yuva420p -b:v 100k -deadline realtime",
    "anamorphic.mp4": f"{_MOTION} -vf setsar=2 {_X264}",
    # interlace
    "interlaced.mpg": f"{_FAST} -c:v mpeg2video -flags +ilme+ildct -top 1",
    "interlaced.ts": f"{_FAST} {_X264} -x264opts interlaced=1",
    # what the film is
    "picture_first.mkv": f"{_PICTURE} {_MOTION} -map 0 -map 1 {_COVER}"
    " -disposition:v:0 0 -disposition:v:1 default",
    "picture_default.mkv": f"{_PICTURE} {_MOTION} -map 0 -map 1 {_COVER} -disposition:v default",
    "cover.mp4": f"{_PICTURE} {_MOTION} -map 0 -map 1 {_COVER} -disposition:v:0 attached_pic",
    "second_default.mkv": f"{_LONGER},scale=320:192 {_MOTION} -map 0 -map 1 {_X264}"
    " -disposition:v:0 0 -disposition:v:1 default",
    "sound_first.mp4": f"{_SOUND} {_MOTION} -map 0 -map 1 {_X264} -t 3",
    # sound longer than the picture
    **{f"sound_longer.{kind}": f"{_MOTION} {_SOUND} {_X264}" for kind in ("mkv", "mp4", "flv", "ts", "avi")},
    "sound_longer.webm": f"{_MOTION} {_SOUND} -c:v libvpx -b:v 100k -c:a libopus",
    # times
    "slides.mp4": f"{_SLIDES} {_B_PICTURES} -vsync vfr",
    "slides.mkv": f"{_SLIDES} {_X264} -vsync vfr",
    "slides.gif": f"{_SLIDES} -vsync vfr",
    "slides.webm": f"{_SLIDES} -c:v libvpx -vsync vfr",
    "gap.mkv": f"{_MOTION},setpts='PTS+gte(N\\,8)*5/TB' -vsync vfr {_X264}",
    "gap.ts": f"{_MOTION},setpts='PTS+gte(N\\,8)*5/TB' -vsync vfr {_X264}",
    "wrap.ts": f"{_MOTION} {_X264} -output_ts_offset 95442",
    "late.mkv": f"{_MOTION} {_X264} -output_ts_offset 3600",
    "delayed.mp4": f"-itsoffset 2 {_MOTION} {_SOUND} {_X264} -t 5",
}


def make(folder: Path) -> None:
    """Write every file into ``folder``; some are made of others."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: ffmpeg(folder, RECIPES[name], name), RECIPES))
    for name, recipe in _DERIVED.items():
        ffmpeg(folder, recipe, name)
    for name, (source, change) in _CHANGED.items():
        (folder / name).write_bytes(change((folder / source).read_bytes()))
    for name, parts in _JOINED.items():
        (folder / name).write_bytes(b"".join((folder / part).read_bytes() for part in parts))


def ffmpeg(folder: Path, recipe: str, name: str) -> None:
    """Write one file; ffmpeg is quiet, or it fails."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *recipe.split(), "-threads", "1", name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


_DERIVED = {
    **{f"turned_{turn}.mp4": f"-i h264.mp4 -c copy -metadata:s:v rotate={turn}" for turn in (90, 180, 270)},
    "long.mp4": f"{_LONGER} {_B_PICTURES} -g 100 -movflags faststart",
    "long.mkv": f"{_LONGER} {_SOUND} {_X264} -g 10 -t 8",
    "trimmed.mp4": "-ss 5 -i long.mp4 -c copy",
    "late.ts": "-i h264.ts -c copy -output_ts_offset 36000",
    "cenc.mp4": f"-i h264.mp4 -c copy {_KEY} -encryption_kid {'00' * 16}",
    "anim.avif": f"{_MOTION} -c:v libaom-av1 -cpu-used 8 -crf 60 -f avif",
    "still.avif": f"{_PICTURE} -frames:v 1 -c:v libaom-av1 -still-picture 1 -cpu-used 8 -f avif",
    "anim.webp": f"{_MOTION} -c:v libwebp_anim",
}


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _renamed(old: bytes, new: bytes, after: bytes = b"") -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        place = content.index(old, content.index(after))
        return content[:place] + new + content[place + len(old) :]

    return change


def _scrambled(content: bytes) -> bytes:
    noise = random.Random(1)  # noqa: S311
    packets = [bytearray(content[place : place + _PACKET]) for place in range(0, len(content), _PACKET)]
    for packet in packets:
        if (packet[1] & 0x1F, packet[2]) == (1, 0):  # of the film
            packet[3] |= 0x80
            packet[4:] = noise.randbytes(_PACKET - 4)
    return b"".join(packets)


_CHANGED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "cut.mp4": ("long.mp4", _half),
    "cut.mkv": ("long.mkv", _half),
    "locked.mp4": ("h264.mp4", _renamed(b"avc1", b"encv", after=b"stsd")),
    "scrambled.ts": ("h264.ts", _scrambled),
    "sequence.heics": ("hevc.mp4", _renamed(b"ftypisom", b"ftypmsf1")),
}

_JOINED = {"joined.ts": ("h264.ts", "h264.ts"), "joined_late.ts": ("h264.ts", "late.ts")}


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    make(Path(sys.argv[1]))
