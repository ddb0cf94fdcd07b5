"""Whether an index is what was written, and what it holds."""

from dataclasses import dataclass
from pathlib import Path

from dns_core.errors import CorruptArtefactError
from dns_core.index.manifest import Manifest, data_fingerprint
from dns_core.index.reader import Index, open_index


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index holds, in figures.

    Attributes:
        manifest: of the current version.
        n_videos: live videos.
        n_removed: videos that wait for compaction.
        n_quarantined: videos of the corpus that could not be indexed.
        n_chunks: chunks on disk, of removed videos too.
        n_frames: frames on disk, of removed videos too.
        n_bytes: size of the current version's files.
    """

    manifest: Manifest
    n_videos: int
    n_removed: int
    n_quarantined: int
    n_chunks: int
    n_frames: int
    n_bytes: int


def index_info(path: Path) -> IndexInfo:
    """The figures of the index at ``path``, from its manifest alone.

    Raises:
        MissingArtefactError: there is no index.
        CorruptArtefactError: a file is missing or truncated.
    """
    return info_of(open_index(path))


def info_of(index: Index) -> IndexInfo:
    """The figures of an open index."""
    shards = index.manifest.shards
    return IndexInfo(
        manifest=index.manifest,
        n_videos=index.n_videos,
        n_removed=sum(len(entry.removed) for entry in shards),
        n_quarantined=len(index.manifest.quarantine),
        n_chunks=sum(entry.n_chunks for entry in shards),
        n_frames=sum(entry.n_frames for entry in shards),
        n_bytes=sum(file.n_bytes for entry in shards for file in entry.files.values()),
    )


def verify_index(path: Path) -> Manifest:
    """The manifest of the index at ``path``, every file of which is bit for bit what was written.

    Reads everything: the time is that of reading the index once.

    Raises:
        MissingArtefactError: there is no index.
        CorruptArtefactError: a file differs; the error names it.
    """
    index = open_index(path)
    for entry in index.manifest.shards:
        entry.verify(index.folder / entry.name)
    if data_fingerprint(zip(index.ids, index.contents, strict=True)) != index.manifest.data:
        raise CorruptArtefactError(
            f"{index.folder}: the ids do not agree with the manifest's data fingerprint"
        )
    return index.manifest
