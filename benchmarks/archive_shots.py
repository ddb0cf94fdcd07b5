"""Shots of unrelated sources, and the frames that they show: what videos of *archives* are composed of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dns_core.corpus.camera import coefficients, draw_camera, exposures, views
from dns_core.errors import VideoError
from dns_core.records import Float64Array, Int64Array, UInt8Array
from dns_core.store.fingerprints import fingerprint_bytes
from dns_core.video import read_clip
from dns_core.video.clip import Clip
from dns_core.video.probe import probe_video

FPS = 6.0
"""Frames a second of the composed files; three for each one that is described."""
SIZE_PX = (320, 180)
BLACK = "black"

_PHOTO_S = (5.0, 12.0)
_CLIP_S = (3.0, 8.0)
_CLIP_FRAMES = 600


@dataclass(frozen=True, slots=True)
class Shot:
    """A stretch of a source.

    Attributes:
        source: file name of a photograph, id of a clip, or `BLACK`.
        start_s: where the stretch begins in the clip.
        length_s: a whole number of frames.
    """

    source: str
    start_s: float
    length_s: float

    @property
    def n_frames(self) -> int:
        """Frames that are shown at `FPS`."""
        return round(self.length_s * FPS)


def draw_shots(videos: Path, clips: Sequence[str], photos: Path, rng: np.random.Generator) -> list[Shot]:
    """Each photograph once, and each clip in stretches one after another, in random order.

    Args:
        videos: folder of the clips.
        clips: their ids.
        photos: folder of photographs.
        rng: draws lengths and order.
    """
    shots = [Shot(path.name, 0.0, _length(rng, _PHOTO_S)) for path in sorted(photos.glob("*.jpg"))]
    for video_id in clips:
        end_s = min(_probed_s(videos / video_id, video_id), _CLIP_FRAMES / FPS)
        start_s = 0.0
        while end_s - start_s >= _CLIP_S[0]:
            length_s = min(_length(rng, _CLIP_S), _frames_s(end_s - start_s))
            shots.append(Shot(video_id, start_s, length_s))
            start_s += length_s
    return [shots[row] for row in rng.permutation(len(shots))]


class Footage:
    """The frames of shots.

    Args:
        videos: folder of clips.
        photos: folder of photographs.
    """

    def __init__(self, videos: Path, photos: Path) -> None:
        self._videos, self._photos = videos, photos
        self._last: tuple[str, Clip] | None = None

    def frames(self, shot: Shot) -> UInt8Array:
        """``[T, H, W, 3]`` of one shot."""
        if shot.source == BLACK:
            return np.zeros((shot.n_frames, SIZE_PX[1], SIZE_PX[0], 3), np.uint8)
        photo = self._photos / shot.source
        return _filmed(photo, shot) if photo.is_file() else self._taken(shot)

    def all_frames(self, shots: Sequence[Shot]) -> Iterator[UInt8Array]:
        """The frames of shots, one after another, one shot in memory at a time."""
        return chain.from_iterable(self.frames(shot) for shot in shots)

    def between(self, shots: Sequence[Shot], start_s: float, length_s: float) -> UInt8Array:
        """Frames of a video that is composed of ``shots``, from ``start_s`` on."""
        first, count = round(start_s * FPS), round(length_s * FPS)
        shown, parts = 0, []
        for shot in shots:
            low, high = max(first - shown, 0), min(first + count - shown, shot.n_frames)
            if low < high:
                parts.append(self.frames(shot)[low:high])
            shown += shot.n_frames
        return np.concatenate(parts)

    def _taken(self, shot: Shot) -> UInt8Array:
        if self._last is None or self._last[0] != shot.source:
            clip = read_clip(self._videos / shot.source, fps=15.0, max_side_px=480, max_frames=1500)
            self._last = (shot.source, clip)
        clip = self._last[1]
        times_s = clip.source_times_s
        wanted_s = times_s[0] + shot.start_s + np.arange(shot.n_frames) / FPS
        rows: Int64Array = np.searchsorted((times_s[1:] + times_s[:-1]) / 2, wanted_s)
        return np.stack([_fitted(Image.fromarray(clip.frames[row])) for row in rows])


def starts_s(shots: Sequence[Shot]) -> Float64Array:
    """``[N + 1]``: when each shot begins in a video composed of them, and when the last one ends."""
    return np.cumsum([0, *(shot.n_frames for shot in shots)]) / FPS


def shown(shots: Sequence[Shot], start_s: float, length_s: float) -> set[str]:
    """Sources that are seen between two times of a video composed of ``shots``."""
    starts = starts_s(shots)
    return {
        shot.source
        for shot, first, last in zip(shots, starts, starts[1:], strict=False)
        if first < start_s + length_s and last > start_s and shot.source != BLACK
    }


def black(length_s: float) -> Shot:
    """A black screen."""
    return Shot(BLACK, 0.0, _frames_s(length_s))


def without_twins(ids: Sequence[str], twins: Mapping[str, Sequence[str]], largest: int) -> list[str]:
    """One of each group of twins, and at most ``largest`` of a source, in the order of ids."""
    kept: list[str] = []
    count: dict[str, int] = {}
    for video_id in sorted(ids):
        source = video_id.partition("/")[0]
        if set(twins.get(video_id, ())) & set(kept) or count.get(source, 0) == largest:
            continue
        kept.append(video_id)
        count[source] = count.get(source, 0) + 1
    return kept


def shortened(shot: Shot, length_s: float) -> Shot:
    """The first ``length_s`` of a shot, or all of it."""
    return replace(shot, length_s=min(shot.length_s, _frames_s(length_s)))


def _filmed(photo: Path, shot: Shot) -> UInt8Array:
    """A photograph under a hand-held camera."""
    seed = int(fingerprint_bytes(shot.source.encode()), 16)
    camera = draw_camera(np.random.default_rng(seed))
    with Image.open(photo) as opened:
        image = opened.convert("RGB")
    times_s = np.arange(shot.n_frames) / FPS
    seen = views(camera, (0.0, 0.0, float(image.width), float(image.height)), times_s, shot.length_s)
    maps, tables = coefficients(seen, SIZE_PX).tolist(), exposures(camera, times_s).tolist()
    return np.stack(
        [
            np.asarray(
                image.transform(SIZE_PX, Image.Transform.PERSPECTIVE, eight, Image.Resampling.BILINEAR).point(
                    table
                )
            )
            for eight, table in zip(maps, tables, strict=True)
        ]
    )


def _fitted(image: Image.Image) -> UInt8Array:
    return np.asarray(ImageOps.fit(image, SIZE_PX, Image.Resampling.BILINEAR))


def _probed_s(path: Path, video_id: str) -> float:
    try:
        return probe_video(path, video_id).duration_s
    except VideoError:
        return 0.0


def _length(rng: np.random.Generator, bounds_s: tuple[float, float]) -> float:
    return _frames_s(float(rng.uniform(*bounds_s)))


def _frames_s(length_s: float) -> float:
    return int(length_s * FPS) / FPS
