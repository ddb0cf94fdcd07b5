"""Other people's tools as they are installed from packages, asked about the same files.

Each is an optional dependency (``pip install 'distill-and-select[peers]'``); one that is not there, or
that lacks a program it needs, is reported as absent.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dns_core.errors import DnsError
from dns_core.hashes.matching import VPDQ_DISTANCE, VPDQ_QUALITY
from dns_core.records import Float32Array, Int64Array, UInt8Array
from dns_core.video.decode import read_clip
from dns_core.video.pdq import pdq_hasher


class AbsentError(DnsError):
    """A peer cannot be asked on this machine; the message says what is missing."""


class Peer(Protocol):
    """A tool that describes a file once and compares descriptions."""

    def describe(self, path: Path) -> Any:
        """What the tool keeps of a video."""
        ...

    def score(self, query: Any, target: Any) -> float:
        """How alike two videos are; higher is closer."""
        ...


@dataclass(frozen=True, slots=True)
class FrameHashes:
    """PDQ hashes ``bits [T, 256]`` in {0, 1} and ``quality [T]`` in [0, 100] of the sampled frames."""

    bits: UInt8Array
    quality: Int64Array


class PdqMatcher:
    """PDQ hashes of frames (Facebook, ThreatExchange, 2019), by one of two ways to score.

    Args:
        score: of two sets of hashes.
        sampling_fps: frames a second that are hashed, whole and at full size.

    Raises:
        AbsentError: the package is not installed.
    """

    def __init__(self, score: Callable[[FrameHashes, FrameHashes], float], sampling_fps: float) -> None:
        try:
            self._hash = pdq_hasher()
        except ImportError as error:
            raise _absent("pdqhash") from error
        self._score = score
        self._fps = sampling_fps

    def describe(self, path: Path) -> FrameHashes:
        """Hashes of the sampled frames."""
        found = [self._hash(frame) for frame in read_clip(path, fps=self._fps).frames]
        bits, quality = zip(*found, strict=True)
        return FrameHashes(np.array(bits, dtype=np.uint8), np.array(quality, dtype=np.int64))

    def score(self, query: FrameHashes, target: FrameHashes) -> float:
        """As the way to score has it."""
        return self._score(query, target)


def vpdq_score(query: FrameHashes, target: FrameHashes) -> float:
    """Share in [0, 1] of the query's good frames that have a good frame of the target within 31 bits.

    A query without a good frame matches nothing. Reference: vPDQ, ThreatExchange.
    """
    ours, theirs = (one.bits[one.quality >= VPDQ_QUALITY] for one in (query, target))
    if not len(ours) or not len(theirs):
        return 0.0
    return float((_distances(ours, theirs).min(axis=1) <= VPDQ_DISTANCE).mean())


def mean_best_score(query: FrameHashes, target: FrameHashes) -> float:
    """1 minus the mean over the query's frames of the distance to the target's nearest, a share of 256 bits.

    It has no threshold: often a far stronger peer than vPDQ's own rule.
    """
    distance = float(_distances(query.bits, target.bits).min(axis=1).mean())
    return 1 - distance / float(query.bits.shape[1])


class VideoHashMatcher:
    """The 64-bit hash a video of videohash2, which calls the program ffmpeg.

    Raises:
        AbsentError: the package or the program is not installed.
    """

    def __init__(self) -> None:
        if shutil.which("ffmpeg") is None:
            raise AbsentError("the program ffmpeg, which videohash2 calls, is not installed")
        self._video_hash = _imported("videohash2").VideoHash

    def describe(self, path: Path) -> UInt8Array:
        """``[64]`` bits."""
        text = self._video_hash(path=str(path)).hash.removeprefix("0b")
        return np.array([int(digit) for digit in text], dtype=np.uint8)

    def score(self, query: UInt8Array, target: UInt8Array) -> float:
        """Share of equal bits."""
        return float((query == target).mean())


def installed_peers(sampling_fps: float) -> tuple[dict[str, Peer], dict[str, str]]:
    """The peers that can be asked, and for each other one what is missing."""
    makers: Mapping[str, Callable[[], Peer]] = {
        "vPDQ": partial(PdqMatcher, vpdq_score, sampling_fps),
        "PDQ, mean best distance": partial(PdqMatcher, mean_best_score, sampling_fps),
        "videohash2": VideoHashMatcher,
    }
    peers: dict[str, Peer] = {}
    absent: dict[str, str] = {}
    for name, make in makers.items():
        try:
            peers[name] = make()
        except AbsentError as error:
            absent[name] = str(error)
    return peers, absent


def _imported(package: str) -> Any:
    try:
        return import_module(package)
    except ImportError as error:
        raise _absent(package) from error


def _absent(package: str) -> AbsentError:
    return AbsentError(f"the package {package} is not installed")


def _distances(ours: UInt8Array, theirs: UInt8Array) -> Float32Array:
    """``[Tq, Tt]`` bits that differ."""
    a, b = ours.astype(np.float32), theirs.astype(np.float32)
    return np.asarray(a @ (1 - b).T + (1 - a) @ b.T)
