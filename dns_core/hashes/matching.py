"""Search for the videos and pictures of one list in another, by the rule of vPDQ.

A frame is found if a frame of the other video differs in at most 31 of 256 bits; of each video only frames
of good quality count, and of equal hashes one. Two videos are told by the share of frames that is found,
of the one and of the other: all of an excerpt is found in a longer video, and little of that video in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dns_core.hashes.signals import Signal
from dns_core.records import Float64Array, Int64Array, UInt64Array
from dns_core.video.pdq import FrameHash

VPDQ_DISTANCE = 31
VPDQ_QUALITY = 50
"""The settings that vPDQ recommends: bits of 256 that may differ, and quality of 100 that is needed."""
VPDQ_SHARE = 0.8
"""Frames of a video that must be found, as a share."""

_BLOCK = 1 << 15


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as found.

    Attributes:
        distance: bits of 256 that may differ.
        quality: that frames need.
        share: of the frames of either video that must be found.
    """

    distance: int = VPDQ_DISTANCE
    quality: int = VPDQ_QUALITY
    share: float = VPDQ_SHARE


@dataclass(frozen=True, slots=True)
class HashMatch:
    """An entry found in another list.

    Attributes:
        query: name of the entry.
        target: name of what was found.
        query_share: frames of the query that are in the target, in [0, 1].
        target_share: frames of the target that are in the query.
        distance: bits by which the closest two frames differ.
        query_s: when the first of the closest is shown in the query.
        target_s: likewise in the target.
    """

    query: str
    target: str
    query_share: float
    target_share: float
    distance: int
    query_s: float
    target_s: float


class HashSearch:
    """A list that is searched, in memory: 40 bytes a frame.

    Args:
        targets: the list.
        rule: what counts as found.
    """

    def __init__(self, targets: Sequence[Signal], rule: Rule) -> None:
        self._rule, self._names = rule, [signal.name for signal in targets]
        parts = [_usable(signal, rule.quality) for signal in targets]
        self._counts = np.array([len(codes) for codes, _ in parts], dtype=np.int64)
        self._owners = np.repeat(np.arange(len(parts)), self._counts)
        self._codes = np.concatenate([np.empty((0, 4), np.uint64), *(codes for codes, _ in parts)])
        self._times = np.concatenate([np.empty(0), *(times for _, times in parts)])

    @property
    def n_without(self) -> int:
        """Entries that nothing can find: no frame of theirs has the quality."""
        return int((self._counts == 0).sum())

    def matches(self, query: Signal) -> list[HashMatch]:
        """What shows the same as an entry, by falling share, then distance."""
        codes, times = _usable(query, self._rule.quality)
        rows, columns, distances = self._near(codes)
        found = list(self._matches(query.name, times, (rows, columns, distances)))
        return sorted(
            found, key=lambda m: (-max(m.query_share, m.target_share), m.distance, m.target, m.query_s)
        )

    def _matches(self, name: str, times: Float64Array, near: tuple[Int64Array, ...]) -> Iterator[HashMatch]:
        rows, columns, distances = near
        owners = self._owners[columns]
        for owner in np.unique(owners):
            of = np.flatnonzero(owners == owner)
            query_share = len(np.unique(rows[of])) / len(times)
            target_share = len(np.unique(columns[of])) / int(self._counts[owner])
            if max(query_share, target_share) < self._rule.share:
                continue
            best = of[np.argmin(distances[of])]
            yield HashMatch(
                name,
                self._names[owner],
                query_share,
                target_share,
                int(distances[best]),
                float(times[rows[best]]),
                float(self._times[columns[best]]),
            )

    def _near(self, codes: UInt64Array) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Row of the query, row of the targets and distance of every two frames that are close."""
        found = [(np.empty(0, np.int64),) * 3]
        for start in range(0, len(self._codes), _BLOCK):
            block = self._codes[start : start + _BLOCK]
            for row, code in enumerate(codes):
                distances = np.bitwise_count(block ^ code).sum(axis=1, dtype=np.int64)
                (columns,) = np.nonzero(distances <= self._rule.distance)
                found.append((np.full(len(columns), row), columns + start, distances[columns]))
        rows, columns, near = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return rows, columns, near


def _usable(signal: Signal, quality: int) -> tuple[UInt64Array, Float64Array]:
    """Codes ``[T, 4]`` and times of the frames that count: the first of equal ones, if it is good."""
    first: dict[str, FrameHash] = {}
    for frame in signal.frames:
        first.setdefault(frame.hex, frame)
    good = [frame for frame in first.values() if frame.quality >= quality]
    octets = np.frombuffer(bytes.fromhex("".join(frame.hex for frame in good)), np.uint8)
    return octets.reshape(-1, 32).view(np.uint64), np.array([frame.time_s for frame in good])
