"""Videos of several feature stores as padded batches."""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from dns_core.records import Float32Array
from dns_core.store.feature_store import FeatureStore

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Batch = TypeVar("Batch", bound="DataclassInstance")

VIEW_MARK = "#"
SHORTEST_EXCERPT = 3
"""Frames of the shortest excerpt."""

# No path of a video has two slashes in a row.
_SPLICE = "//"
_EXCERPT = re.compile(r"(.+)@(\d+)-(\d+)", re.DOTALL)


def view_id(video_id: str, number: int) -> str:
    """Id under which the ``number``-th edited copy of a training video is stored."""
    return f"{video_id}{VIEW_MARK}{number}"


def excerpt_id(video_id: str, frames: range) -> str:
    """Id under which a `FeatureSet` gives a stretch of a video or of an edited copy."""
    return f"{video_id}@{frames.start}-{frames.stop}"


def spliced_id(*parts: str) -> str:
    """Id under which a `FeatureSet` gives several videos, copies or excerpts one after the other."""
    return _SPLICE.join(parts)


def random_excerpt(n_frames: int, rng: np.random.Generator) -> range:
    """A random stretch of a fifth to four fifths of a video, but of no fewer than 3 frames if it has them."""
    length = min(n_frames, max(SHORTEST_EXCERPT, round(n_frames * rng.uniform(0.2, 0.8))))
    start = int(rng.integers(n_frames - length + 1))
    return range(start, start + length)


def source_ids(any_id: str, sources: frozenset[str]) -> frozenset[str]:
    """The training videos that an id stems from: more than one if it is spliced."""
    return frozenset(source_id(part, sources) for part in any_id.split(_SPLICE))


def source_id(any_id: str, sources: frozenset[str]) -> str:
    """The training video that an id, one of its edited copies, or an excerpt of either stems from.

    A file name may hold the marks itself, so an id that is a source is never taken apart.
    """
    if any_id in sources:
        return any_id
    excerpt = _EXCERPT.fullmatch(any_id)
    if excerpt is not None and (found := source_id(excerpt[1], sources)) in sources:
        return found
    return any_id.rpartition(VIEW_MARK)[0]


class FeatureSet:
    """Features of training videos and of their edited copies, read when asked, kept within a limit.

    Args:
        stores: open stores; an id is looked up in each in turn.
        limit_bytes: memory for features kept as float16.
        seen_through: is applied to the regions of whole videos, once while they are kept; it treats every
            frame alone.
    """

    def __init__(
        self,
        stores: Sequence[FeatureStore],
        *,
        limit_bytes: int = 2_000_000_000,
        seen_through: Callable[[Float32Array], Float32Array] = np.asarray,
    ) -> None:
        self._stores = tuple(stores)
        self._seen_through = seen_through
        self._store_of = {video_id: store for store in stores for video_id in store.ids}
        self._limit_bytes = limit_bytes
        self._used_bytes = 0
        self._kept: OrderedDict[str, np.ndarray[tuple[int, ...], np.dtype[np.float16]]] = OrderedDict()
        self.fingerprint = "-".join(store.fingerprint for store in stores)

    def seen_through(self, function: Callable[[Float32Array], Float32Array]) -> "FeatureSet":
        """The same videos, each as ``function`` makes it of its regions ``[T, R, D]``, frame by frame."""
        return FeatureSet(self._stores, limit_bytes=self._limit_bytes, seen_through=function)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id, sorted."""
        return tuple(sorted(self._store_of))

    @property
    def dims(self) -> int:
        """D of the region vectors."""
        return int(self.regions(self.ids[0]).shape[-1])

    def n_views(self, video_id: str) -> int:
        """How many edited copies of a training video there are."""
        number = 0
        while view_id(video_id, number) in self._store_of:
            number += 1
        return number

    def n_frames(self, video_id: str) -> int:
        """T of one video, excerpt or splice."""
        if _SPLICE in video_id:
            return sum(self.n_frames(part) for part in video_id.split(_SPLICE))
        excerpt = self._excerpt(video_id)
        return len(excerpt[1]) if excerpt else self._store_of[video_id].n_frames(video_id)

    def regions(self, video_id: str) -> Float32Array:
        """``[T, R, D]`` float32 of one video, of an excerpt by its `excerpt_id`, or of a splice.

        Raises:
            KeyError: there is no such video.
        """
        if _SPLICE in video_id:
            return np.concatenate([self.regions(part) for part in video_id.split(_SPLICE)])
        excerpt = self._excerpt(video_id)
        if excerpt:
            return self.regions(excerpt[0])[excerpt[1].start : excerpt[1].stop]
        if video_id not in self._kept:
            regions = self._seen_through(self._store_of[video_id].read(video_id).regions)
            self._keep(video_id, regions.astype(np.float16))
        self._kept.move_to_end(video_id)
        return self._kept[video_id].astype(np.float32)

    def _excerpt(self, any_id: str) -> tuple[str, range] | None:
        """Video and frames of an excerpt; None if the id is that of a video."""
        found = None if any_id in self._store_of else _EXCERPT.fullmatch(any_id)
        return (found[1], range(int(found[2]), int(found[3]))) if found else None

    def _keep(self, video_id: str, regions: np.ndarray[tuple[int, ...], np.dtype[np.float16]]) -> None:
        self._kept[video_id] = regions
        self._used_bytes += regions.nbytes
        while self._used_bytes > self._limit_bytes and len(self._kept) > 1:
            self._used_bytes -= self._kept.popitem(last=False)[1].nbytes


def to_device_of(network: nn.Module, batch: Batch) -> Batch:
    """The batch, a dataclass of tensors, on the device of the network's parameters."""
    device = next(network.parameters()).device
    return replace(batch, **{field.name: getattr(batch, field.name).to(device) for field in fields(batch)})


def padded(videos: Sequence[Float32Array]) -> tuple[Tensor, Tensor]:
    """Videos ``[T, R, D]`` as ``[B, Tmax, R, D]`` float32 and the mask ``[B, Tmax]`` of real frames.

    A video of one region a frame has it repeated if the others have more, as in the reference.

    Raises:
        ValueError: videos differ in D, or in R otherwise.
    """
    shapes = {video.shape[1:] for video in videos}
    n_regions, dims = max(shape[0] for shape in shapes), next(iter(shapes))[1]
    if not shapes <= {(1, dims), (n_regions, dims)}:
        raise ValueError(f"videos of one batch need the same [R, D], found {sorted(shapes)}")
    longest = max(len(video) for video in videos)
    batch = torch.zeros(len(videos), longest, n_regions, dims)
    mask = torch.zeros(len(videos), longest, dtype=torch.bool)
    for row, video in enumerate(videos):
        batch[row, : len(video)] = torch.from_numpy(np.ascontiguousarray(video, dtype=np.float32))
        mask[row, : len(video)] = True
    return batch, mask
