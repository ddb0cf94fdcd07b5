"""Making and changing an index: every change is a new version, whole or not there."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from dns_core.errors import InputError
from dns_core.index import checksums
from dns_core.index.encoded import EncodedVideo
from dns_core.index.manifest import Manifest, ShardEntry, data_fingerprint, write_manifest
from dns_core.index.reader import Index, open_index
from dns_core.index.shard import Shard
from dns_core.index.shard_writing import write_shard
from dns_core.index.versions import Draft, link_folder, next_version
from dns_core.records import Quarantined

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """What made the records of an index.

    Attributes:
        models: fingerprint by role: ``backbone``, ``whitening``, ``coarse``, each fine network and
            selector. A search with others is refused.
        params: what else decided the content, for example the chunking; any JSON.
    """

    models: Mapping[str, str]
    params: Mapping[str, Any] = field(default_factory=dict)


def build_index(
    path: Path,
    records: Iterable[EncodedVideo],
    origin: Origin,
    *,
    quarantine: Sequence[Quarantined] = (),
) -> Manifest:
    """The index at ``path`` holds exactly ``records``; an index that stood there is superseded.

    Equal records in equal order give equal files, but for the version number.

    Args:
        path: the folder of the index; made if it is not there.
        records: written as they come, one in memory at a time.
        origin: what made them.
        quarantine: videos of the corpus that could not be encoded; read when ``records`` are at an end,
            so that the caller may fill it while it yields records.

    Returns:
        The manifest of the new version.

    Raises:
        InputError: an id comes twice, or the arrays of a record do not fit the others.
        ArtefactError: another process is writing to this index.
    """
    with next_version(path) as draft:
        entry = write_shard(draft.folder / _shard_name(draft), records, taken=set())
        manifest = Manifest(
            version=draft.number, data="", models=dict(origin.models), params=dict(origin.params)
        )
        return _finish(draft, manifest, [entry], quarantine)


def add_videos(
    path: Path,
    records: Iterable[EncodedVideo],
    *,
    models: Mapping[str, str],
    quarantine: Sequence[Quarantined] = (),
    gone: Collection[str] = (),
) -> Manifest:
    """The index holds ``records`` too, in a new shard; what was there is linked, not rebuilt.

    Args:
        path: the index.
        records: as for `build_index`.
        models: fingerprints of what made them, by role; must agree with the index's.
        quarantine: rows to add to the index's, read when ``records`` are at an end; a video that is now
            indexed leaves the list.
        gone: ids that the index does not show any more, unless a record bears one of them.

    Returns:
        The manifest of the new version.

    Raises:
        InputError: an id is already in the index.
        MismatchError: other models made the records.
        MissingArtefactError: there is no index.
        CorruptArtefactError: a file of it is not what was written; the index is as before.
    """
    open_index(path).manifest.check_models(models)
    with next_version(path) as draft:
        index = open_index(path)
        index.manifest.check_models(models)
        taken = set(index.ids) - set(gone)
        kept = [_kept(index, entry, draft, gone) for entry in index.manifest.shards]
        for entry in filter(None, kept):
            entry.verify(draft.folder / entry.name)
        new = write_shard(draft.folder / _shard_name(draft), records, taken=taken)
        before = (row for row in index.manifest.quarantine if row.video_id not in gone)
        rows = {row.video_id: row for row in (*before, *quarantine)}
        absent = [row for video_id, row in rows.items() if video_id not in taken]
        return _finish(draft, index.manifest, [*kept, new], absent)


def remove_videos(path: Path, video_ids: Sequence[str]) -> Manifest:
    """The index no longer shows ``video_ids``; their arrays stay on disk until `compact_index`.

    Nothing is verified: a video whose arrays are damaged can be removed, and the rest compacted.

    Args:
        path: the index.
        video_ids: indexed or quarantined videos.

    Returns:
        The manifest of the new version.

    Raises:
        InputError: an id is neither indexed nor quarantined; the error names it.
        MissingArtefactError: there is no index.
    """
    open_index(path)
    with next_version(path) as draft:
        index = open_index(path)
        wanted = set(video_ids)
        absent = [row for row in index.manifest.quarantine if row.video_id not in wanted]
        unknown = sorted(wanted - set(index.ids) - {row.video_id for row in index.manifest.quarantine})
        if unknown:
            more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
            raise InputError(f"not in the index: {', '.join(unknown[:_NAMED])}{more}")
        kept = [_kept(index, entry, draft, wanted) for entry in index.manifest.shards]
        return _finish(draft, index.manifest, kept, absent)


def compact_index(path: Path, shard_videos: int = 0) -> Manifest:
    """The index is its live videos by id, in one shard or in equal ones; searching gives the same results.

    Compacted indices of equal sets of videos hold equal arrays, after any adds and removes.

    Args:
        path: the index.
        shard_videos: of a shard, for an index that several machines are to hold; 0 puts all into one.

    Returns:
        The manifest of the new version.

    Raises:
        MissingArtefactError: there is no index.
        CorruptArtefactError: what is to be copied is not what was written; the index is as before.
    """
    open_index(path)
    with next_version(path) as draft:
        index = open_index(path)
        for old in index.manifest.shards:
            if checksums.FILE not in old.files:  # written before there were any: nothing checks what is read
                old.verify(index.folder / old.name)
        order = sorted(range(index.n_videos), key=index.ids.__getitem__)
        records = (index.record(row) for row in order)
        entries = _equal_shards(draft, records, shard_videos)
        return _finish(draft, index.manifest, entries, index.manifest.quarantine)


def _equal_shards(draft: Draft, records: Iterator[EncodedVideo], size: int) -> list[ShardEntry | None]:
    taken: set[str] = set()
    entries: list[ShardEntry | None] = []
    while not entries or entries[-1] is not None:
        folder = draft.folder / _shard_name(draft, len(entries))
        entries.append(write_shard(folder, islice(records, size or None), taken=taken))
    return entries


def _shard_name(draft: Draft, part: int = 0) -> str:
    # Named after the version that wrote it, so that names stay unique while shards are carried along.
    return f"shard-{draft.number:06d}" + (f"-{part:04d}" if part else "")


def _kept(index: Index, entry: ShardEntry, draft: Draft, gone: Iterable[str] = ()) -> ShardEntry | None:
    """The entry of an old shard in the draft, without the videos in ``gone``; None if nothing is left."""
    wanted = set(gone)
    shard = Shard(index.folder / entry.name, entry)
    rows = {int(row) for row in shard.live if shard.videos[row][0] in wanted} if wanted else set()
    removed = tuple(sorted({*entry.removed, *rows}))
    if len(removed) == entry.n_videos:
        return None
    link_folder(shard.folder, draft.folder / entry.name)
    return entry.model_copy(update={"removed": removed})


def _finish(
    draft: Draft,
    before: Manifest,
    shards: Sequence[ShardEntry | None],
    quarantine: Sequence[Quarantined],
) -> Manifest:
    """Write the manifest of the draft, which makes it whole."""
    entries = tuple(entry for entry in shards if entry is not None)
    opened = [Shard(draft.folder / entry.name, entry) for entry in entries]
    contents = (shard.videos[row] for shard in opened for row in shard.live)
    manifest = before.model_copy(
        update={
            "version": draft.number,
            "data": data_fingerprint(contents),
            "shards": entries,
            "quarantine": tuple(sorted(quarantine, key=lambda row: row.video_id)),
        }
    )
    write_manifest(draft.folder, manifest)
    return manifest
