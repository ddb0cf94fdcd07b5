"""Region descriptors of many videos in one HDF5 file, in the layout of the reference's tools.

``file[video_id][:]`` is ``[T, R, D]``; an id with ``/`` lies in nested groups. Frame times lie in the
reserved group ``_frame_times_s`` under the same ids; metadata are attributes of the file. Each dataset
is cut in chunks with a checksum, so damage is noticed when it is read, and a stretch of a long video
is read without the rest.
"""

import errno
import shutil
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.records import Float32Array, Float64Array, VideoFeatures
from dns_core.store.atomic import atomic_file
from dns_core.store.feature_parts import PartFolder, frame_windows
from dns_core.store.fingerprints import fingerprint_json

_TIMES = "_frame_times_s"
_FORMAT, _FORMAT_KEY, _FINGERPRINT_KEY = "dns-features-1", "format", "fingerprint"
_CHUNK_FRAMES = 64


class FeatureStore:
    """Features by video id, read on demand; a context manager.

    The reference's released files are read too: they have no metadata (the fingerprint is then empty),
    ``[T, D]`` is read as one region a frame, and frame k is taken to show second k, since their
    features were sampled at one frame a second and carry no times.

    An open store must not cross a fork: open one in each process.

    Attributes:
        path: the file.
        metadata: what made the features, as given to `FeatureWriter`.
        fingerprint: of ``metadata``.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        attributes = {name: str(value) for name, value in file.attrs.items()}
        ours = attributes.pop(_FORMAT_KEY, None) == _FORMAT
        self.fingerprint = attributes.pop(_FINGERPRINT_KEY, "") if ours else ""
        self.metadata: dict[str, str] = attributes if ours else {}
        if ours and self.fingerprint != fingerprint_json(self.metadata):
            raise CorruptArtefactError(f"{path}: the metadata were altered after they were written")

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open ``path`` for reading.

        Raises:
            MissingArtefactError: there is no such file.
            CorruptArtefactError: the file is truncated, altered, or not HDF5.
        """
        if not path.is_file():
            raise MissingArtefactError(f"{path} is not there; have features been extracted?")
        try:
            file = h5py.File(path, "r")
        except (OSError, RuntimeError) as error:
            raise CorruptArtefactError(f"{path} is not a whole HDF5 file: {error}") from error
        try:
            return cls(path, file)
        except BaseException:
            file.close()
            raise

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of all videos, sorted."""
        found: list[str] = []
        times = f"{_TIMES}/".encode()

        def note(name: bytes, info: h5py.h5o.ObjInfo) -> None:
            if info.type == h5py.h5o.TYPE_DATASET and not name.startswith(times):
                found.append(name.decode(errors="surrogateescape"))

        try:
            # h5py's own visititems opens every object, which takes seven times as long.
            h5py.h5o.visit(self._file.id, note, info=True)
        except (OSError, RuntimeError, KeyError) as error:
            raise CorruptArtefactError(f"{self.path}: its list of videos is damaged: {error}") from error
        return tuple(sorted(found))

    def n_frames(self, video_id: str) -> int:
        """T of a video; raises as `read` does."""
        return int(self._dataset(video_id).shape[0])

    def read(self, video_id: str, start: int = 0, stop: int | None = None) -> VideoFeatures:
        """Features of a video, or of its frames ``start`` to ``stop`` (exclusive).

        Raises:
            MissingArtefactError: the store has no such video.
            CorruptArtefactError: what is stored under the id is damaged.
        """
        dataset, window = self._dataset(video_id), slice(start, stop)
        try:
            # numpy widens half precision faster than HDF5 does
            regions: Float32Array = dataset[window].astype(np.float32, copy=False)
            times = self._file.get(_key(f"{_TIMES}/{video_id}"))
            times_s: Float64Array = (
                np.arange(len(dataset), dtype=np.float64)[window] if times is None else times[window]
            )
        except (OSError, RuntimeError, KeyError) as error:
            raise CorruptArtefactError(
                f"{self.path}: the features of {video_id!r} are damaged: {error}"
            ) from error
        if regions.ndim == 2:
            regions = regions[:, None, :]
        return VideoFeatures(video_id, regions, times_s)

    def close(self) -> None:
        """Let go of the file; reading is over."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _dataset(self, video_id: str) -> h5py.Dataset:
        try:
            dataset = self._file[_key(video_id)]
        except KeyError as error:
            if video_id in self.ids:
                raise CorruptArtefactError(f"{self.path}: {video_id!r} is damaged: {error}") from error
            raise MissingArtefactError(f"{self.path} has no features of {video_id!r}") from None
        except (OSError, RuntimeError) as error:
            raise CorruptArtefactError(f"{self.path}: {video_id!r} is damaged: {error}") from error
        if not isinstance(dataset, h5py.Dataset):
            raise MissingArtefactError(f"{self.path} has no features of {video_id!r}: it is a folder")
        if dataset.ndim not in (2, 3):
            raise CorruptArtefactError(f"{self.path}: {video_id!r} has {dataset.ndim} axes, expected 2 or 3")
        return dataset


class FeatureWriter:
    """Writer of features, video by video, so that a stopped run resumes.

    Each video becomes a part of its own; `finish` packs the parts into one file. The bytes of that
    file depend on the features and the metadata alone, not on interruptions or the order of writing.

    Args:
        path: the HDF5 file that `finish` writes.
        metadata: what made the features; its fingerprint tells whether parts of an earlier run count.
        partial: a folder for parts alone, on any disk.
        dtype: numpy's name of the type on disk; half precision keeps cosines within about 1e-3.
    """

    def __init__(
        self, path: Path, *, metadata: Mapping[str, str], partial: Path, dtype: str = "float16"
    ) -> None:
        reserved = {_FORMAT_KEY, _FINGERPRINT_KEY} & set(metadata)
        if reserved:
            raise ValueError(f"reserved metadata keys: {sorted(reserved)}")
        self.path = path
        self.metadata = dict(metadata)
        self.fingerprint = fingerprint_json(self.metadata)
        self._parts = PartFolder(partial, fingerprint_json([self.metadata, dtype]), dtype)

    def done(self, video_id: str, *, source: str = "") -> bool:
        """Whether this video was written whole, under the same metadata and from the same ``source``.

        Args:
            video_id: the video.
            source: fingerprint of the video's content, if a video may change between runs.
        """
        return self._parts.is_whole(video_id, source)

    def write(
        self, video_id: str, chunks: Iterable[tuple[Float32Array, Float64Array]], *, source: str = ""
    ) -> int:
        """Write one video and return T, its number of frames; one chunk is in memory at a time.

        Args:
            video_id: the video; replaced if it was written before.
            chunks: pairs of regions ``[N, R, D]`` and times ``[N]`` in seconds.
            source: as in `done`.

        Raises:
            VideoError: there is no frame at all.
            ValueError: the id cannot be a key of HDF5, or the chunks are not consistent and finite.
        """
        _check_id(video_id)
        return self._parts.write(video_id, chunks, source)[0]

    def finish(self, order: Sequence[str]) -> None:
        """Pack the parts of the videos in ``order`` into one file, sorted by id, and delete all parts.

        Raises:
            MissingArtefactError: a video in ``order`` was not written.
            OSError: the disk has no room for the file; nothing is lost, and finishing can be tried again.
        """
        self._check_room()
        with atomic_file(self.path) as temporary, h5py.File(temporary, "w") as file:
            file.attrs[_FORMAT_KEY] = _FORMAT
            file.attrs[_FINGERPRINT_KEY] = self.fingerprint
            for name, value in sorted(self.metadata.items()):
                file.attrs[name] = value
            for video_id in sorted(set(order)):
                self._pack(file, video_id)
        self._parts.remove()

    def _check_room(self) -> None:
        """HDF5 does not survive a disk that fills up while a file is open; so ask before."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        needed, free = self._parts.n_bytes(), shutil.disk_usage(self.path.parent).free
        if free < needed:
            raise OSError(errno.ENOSPC, f"needs {needed} bytes, {free} are free", str(self.path))

    def _pack(self, file: h5py.File, video_id: str) -> None:
        regions, times_s = self._parts.read(video_id)
        windows = list(frame_windows(len(times_s), _CHUNK_FRAMES))
        layout: dict[str, Any] = {"fletcher32": True, "track_times": False}
        chunk = (windows[0].stop, *regions.shape[1:])
        dataset = file.create_dataset(_key(video_id), regions.shape, regions.dtype, chunks=chunk, **layout)
        for window in windows:
            dataset[window] = regions[window]
        file.create_dataset(_key(f"{_TIMES}/{video_id}"), data=times_s, chunks=times_s.shape, **layout)


def _check_id(video_id: str) -> None:
    """Refuse what HDF5 would read as another path than the one written."""
    parts = video_id.split("/")
    if "\0" in video_id or parts[0] == _TIMES or any(part in ("", ".") for part in parts):
        raise ValueError(f"{video_id!r} cannot be the id of a video in a feature store")


def _key(video_id: str) -> str | bytes:
    """The id as h5py takes it: bytes where a file name was not valid text, else text, marked as UTF-8."""
    name = video_id.encode(errors="surrogateescape")
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name
