"""Features of single videos before they join one store, so that an interrupted run can resume.

A part is two files named by the fingerprint of the video's id: the region descriptors as they come,
without a header, and a JSON card. The card is written last, so a part with a card is whole.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dns_core.errors import CorruptArtefactError, MissingArtefactError, VideoError
from dns_core.records import Float32Array, Float64Array
from dns_core.store.atomic import atomic_file, read_json, write_json
from dns_core.store.fingerprints import fingerprint_bytes

_FOLDER = re.compile(r"features-[0-9a-f]{16}")


class PartFolder:
    """Parts made under one fingerprint of settings; parts of other settings are removed.

    Args:
        root: a folder for parts alone.
        fingerprint: of everything that the features depend on, apart from the video.
        dtype: numpy's name of the type on disk.
    """

    def __init__(self, root: Path, fingerprint: str, dtype: str) -> None:
        self.folder = root / f"features-{fingerprint}"
        self._dtype = np.dtype(dtype)
        self.folder.mkdir(parents=True, exist_ok=True)
        for other in sorted(root.iterdir()):
            if other != self.folder and _FOLDER.fullmatch(other.name):
                shutil.rmtree(other)

    def is_whole(self, video_id: str, source: str) -> bool:
        """Whether this video's features are all here and were made of ``source``."""
        try:
            card = read_json(self._card_path(video_id))
            data = self._data_path(video_id).stat()
        except (MissingArtefactError, CorruptArtefactError, FileNotFoundError):
            return False
        # The id is compared too: two ids may, if hardly ever, share a file name.
        same = (card["video_id"], card["source"], card["dtype"]) == (video_id, source, self._dtype.name)
        return bool(same and data.st_size == np.prod(card["shape"]) * self._dtype.itemsize)

    def write(
        self, video_id: str, chunks: Iterable[tuple[Float32Array, Float64Array]], source: str
    ) -> tuple[int, ...]:
        """Write one part, holding one chunk in memory at a time, and return its shape ``[T, R, D]``.

        Raises:
            VideoError: there is no frame at all.
            ValueError: chunks differ in R or D, hold NaN or infinity, or times do not fit the frames.
        """
        self._card_path(video_id).unlink(missing_ok=True)
        times: list[float] = []
        row: tuple[int, ...] = ()
        with atomic_file(self._data_path(video_id)) as temporary, temporary.open("wb") as file:
            for regions, times_s in chunks:
                row = row or regions.shape[1:]
                _check_chunk(video_id, regions, times_s, row)
                file.write(np.ascontiguousarray(regions, dtype=self._dtype).tobytes())
                times.extend(times_s.tolist())
            if not times:
                raise VideoError("no_frames", f"no frame of {video_id} gave features")
        shape = (len(times), *row)
        card = {"video_id": video_id, "source": source, "shape": shape, "dtype": self._dtype.name}
        write_json(self._card_path(video_id), {**card, "times_s": times})
        return shape

    def read(self, video_id: str) -> tuple[npt.NDArray[Any], Float64Array]:
        """Regions ``[T, R, D]``, mapped from the disk in the type they were written in, and times ``[T]``.

        Raises:
            MissingArtefactError: this video has no whole part.
        """
        card = read_json(self._card_path(video_id))
        regions = np.memmap(self._data_path(video_id), self._dtype, "r", shape=tuple(card["shape"]))
        return regions, np.asarray(card["times_s"], dtype=np.float64)

    def n_bytes(self) -> int:
        """Size of all parts together."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def remove(self) -> None:
        """Delete every part."""
        shutil.rmtree(self.folder)

    def _card_path(self, video_id: str) -> Path:
        return self._data_path(video_id).with_suffix(".json")

    def _data_path(self, video_id: str) -> Path:
        name = fingerprint_bytes(video_id.encode(errors="surrogateescape"))
        return self.folder / f"{name}.regions"


def frame_windows(n_frames: int, most: int) -> Iterator[slice]:
    """Slices of nearly equal length, at most ``most``, that together cover ``n_frames``."""
    n_windows = -(-n_frames // most)
    length = -(-n_frames // n_windows)
    for start in range(0, n_frames, length):
        yield slice(start, min(start + length, n_frames))


def _check_chunk(video_id: str, regions: Float32Array, times_s: Float64Array, row: tuple[int, ...]) -> None:
    if regions.ndim != 3 or regions.shape[1:] != row or times_s.shape != regions.shape[:1]:
        raise ValueError(
            f"{video_id}: a chunk has regions {regions.shape} and times {times_s.shape}, expected [N, R, D] "
            f"with [R, D] = {row} and as many times"
        )
    if not np.isfinite(regions).all():
        raise ValueError(f"{video_id}: features hold NaN or infinity")
