"""The vPDQ hashes of the videos of an index, kept beside it under the digest of each file's content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dns_core.decoding.offline import open_decoder, tried
from dns_core.errors import MissingArtefactError, VideoError
from dns_core.hashes.signals import Signal
from dns_core.index import Index
from dns_core.ports import Progress
from dns_core.records import Quarantined, VideoProbe
from dns_core.store.journal import append_line, whole_lines, write_lines
from dns_core.video.pdq import FrameHash
from dns_core.video.probe import content_digest

_FILE = "hashes.jsonl"
EVERY_S = 1.0
"""Seconds between two frames that are hashed, as ThreatExchange's tools have it."""

NamedFiles = Sequence[tuple[str, Path]]


@dataclass(slots=True)
class Hashed:
    """Signals of files, and what could not be hashed."""

    signals: list[Signal] = field(default_factory=list)
    refused: list[Quarantined] = field(default_factory=list)


class _FileHasher:
    """Hashes files, one after another, in a confined process."""

    def __init__(self, every_s: float) -> None:
        self._decoder, self._every_s = open_decoder(), every_s

    def __call__(self, path: Path) -> tuple[list[FrameHash], bool]:
        return tried(lambda: self._decoder.hashes(path, self._every_s))


def hash_files(named: NamedFiles, progress: Progress, every_s: float = EVERY_S) -> Hashed:
    """The hashes of videos and pictures.

    Args:
        named: names for the list, and files.
        progress: shows how far it has come.
        every_s: seconds between two frames that are hashed.

    Raises:
        ModuleNotFoundError: the package pdqhash is not installed.
    """
    done, hasher = Hashed(), _FileHasher(every_s)
    for name, path in progress.track(named, "hashing", len(named)):
        try:
            frames, is_picture = hasher(path)
            done.signals.append(Signal(name, tuple(frames), "pdq" if is_picture else "vpdq"))
        except VideoError as error:
            done.refused.append(Quarantined(name, error.reason, error.detail))
    return done


def add_hashes(
    index: Index, folder: Path, files: Mapping[str, Path], progress: Progress
) -> list[Quarantined]:
    """Hash the videos of an index that have none yet, each content once; what cannot be used is returned.

    An interrupted run resumes: each video is written down at once.

    Args:
        index: whose videos they are.
        folder: of the index.
        files: where they lie, by id.
        progress: shows how far it has come.

    Raises:
        ModuleNotFoundError: the package pdqhash is not installed.
    """
    hasher, refused = _FileHasher(EVERY_S), list[Quarantined]()
    lines = list(whole_lines(folder / _FILE))
    write_lines(folder / _FILE, lines)
    known = {line["sha256"] for line in lines}
    probes = [probe for probe in index.probes if probe and probe.sha256 not in known]
    for probe in progress.track(probes, "hashing", len(probes)):
        if probe.sha256 in known:
            continue
        try:
            frames, _ = hasher(_file_of(probe, files))
        except VideoError as error:
            refused.append(Quarantined(probe.video_id, error.reason, error.detail))
            continue
        rows = [[one.hex, one.quality, one.time_s, one.frame] for one in frames]
        append_line(folder / _FILE, {"sha256": probe.sha256, "frames": rows})
        known.add(probe.sha256)
    return refused


def index_signals(index: Index, folder: Path) -> list[Signal]:
    """The vPDQ hashes of the videos of an index, under their ids.

    Raises:
        MissingArtefactError: no video of it has hashes.
    """
    kept = {line["sha256"]: line["frames"] for line in whole_lines(folder / _FILE)}
    signals = [
        Signal(video_id, tuple(FrameHash(*row) for row in kept[probe.sha256]))
        for video_id, probe in zip(index.ids, index.probes, strict=True)
        if probe and probe.sha256 in kept
    ]
    if not signals:
        raise MissingArtefactError(f"{folder} has no PDQ hashes; run `dns hashes add` with its videos")
    return signals


def _file_of(probe: VideoProbe, files: Mapping[str, Path]) -> Path:
    """The file of an indexed video, whose content is still the same."""
    path = files.get(probe.video_id)
    if path is None or content_digest(path) != probe.sha256:
        raise VideoError("missing", "expected the file as it was indexed; `dns index sync` comes first")
    return path
