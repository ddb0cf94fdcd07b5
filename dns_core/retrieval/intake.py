"""Files into records of an index: each content is decoded once, and what was finished is kept."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from dns_core.errors import VideoError
from dns_core.fleet import Card, Fleet, Task, Work, run_all
from dns_core.index import EncodedVideo
from dns_core.index.pending import Records
from dns_core.index.reader import Index
from dns_core.ports import Progress
from dns_core.records import Quarantined
from dns_core.retrieval.encode import VideoEncoder
from dns_core.video.probe import content_digest

NamedVideos = Sequence[tuple[str, Path]]
"""Video ids and where their files are."""


@dataclass(slots=True)
class Taken:
    """What became of files.

    Attributes:
        contents: digest by id of the videos that have a record.
        quarantine: the others.
        n_decoded: how many were decoded for it.
    """

    contents: dict[str, str] = field(default_factory=dict)
    quarantine: list[Quarantined] = field(default_factory=list)
    n_decoded: int = 0


class Intake:
    """Describes files for an index, and keeps the records until they are in it.

    Args:
        records: where they are kept.
        encoder: says how records are made.
        fleet: describes the files.
        known: an index whose records may be used again.
    """

    def __init__(
        self, records: Records, encoder: VideoEncoder, fleet: Fleet, known: Index | None = None
    ) -> None:
        self._records = records
        self._work = describing(encoder, records.folder)
        self._fleet = fleet
        self._known = known
        probes = known.probes if known else ()
        self._rows = {probe.sha256: row for row, probe in enumerate(probes) if probe}

    def take(
        self, videos: NamedVideos, progress: Progress, digests: Mapping[str, str] | None = None
    ) -> Taken:
        """Each video has a record, or a reason why not.

        Args:
            videos: what to describe; each id once.
            progress: shows how far it has come.
            digests: of the content, by id, as far as they are known.

        Raises:
            InputError: an id comes twice.
        """
        taken = Taken()
        paths, digests = dict(videos), digests or {}
        tasks = [to_describe(video_id, path, digests.get(video_id, "")) for video_id, path in videos]
        with closing(run_all(self._fleet, self._work, self._unknown(tasks, taken))) as cards:
            total = len(videos) - len(taken.contents)
            for card in progress.track(cards, "indexing", total):
                self._note(card, taken, paths[card.id], progress)
        taken.contents = {v: taken.contents[v] for v, _ in videos if v in taken.contents}
        return taken

    def records(self, taken: Taken) -> Iterator[EncodedVideo]:
        """The records of what was taken, one in memory at a time."""
        for video_id, sha256 in taken.contents.items():
            record = self._record(sha256)
            probe = record.probe and replace(record.probe, video_id=video_id)
            yield replace(record, video_id=video_id, probe=probe)

    def _unknown(self, tasks: Sequence[Task], taken: Taken) -> list[Task]:
        """The tasks whose content the index does not hold; the others are taken."""
        if not self._rows:
            return list(tasks)
        unknown = []
        for task in tasks:
            sha256 = task.facts["sha256"] or _digest(Path(task.facts["path"]))
            if sha256 in self._rows:
                taken.contents[task.id] = sha256
            else:
                unknown.append(replace(task, facts={**task.facts, "sha256": sha256}))
        return unknown

    def _note(self, card: Card, taken: Taken, path: Path, progress: Progress) -> None:
        if card.reason:
            taken.quarantine.append(card.quarantined(_digest(path)))
            progress.say(f"quarantined {card.id}: {card.reason}: {card.detail}")
            return
        taken.contents[card.id] = card.facts["sha256"]
        taken.n_decoded += card.facts["decoded"]

    def _record(self, sha256: str) -> EncodedVideo:
        if self._known is not None and sha256 in self._rows:
            return self._known.record(self._rows[sha256])
        return self._records.read(sha256)


def describing(encoder: VideoEncoder, records: Path) -> Work:
    """The work of describing files, done by `dns_core.retrieval.describing.Describer`.

    Args:
        encoder: has the models and settings.
        records: folder that the records are written to; of records made this way alone.
    """
    folders = {"models": str(encoder.bundle.folder.absolute()), "records": str(records.absolute())}
    settings = {**folders, "index": encoder.settings.params, "fingerprints": encoder.origin.models}
    return Work("dns_core.retrieval.describing:Describer", settings)


def to_describe(video_id: str, path: Path, sha256: str = "") -> Task:
    """The task of describing a file; the worker computes its digest if it is not known."""
    return Task(video_id, {"path": str(path.absolute()), "sha256": sha256})


def _digest(path: Path) -> str:
    """Of the content; empty if the file cannot be read."""
    try:
        return content_digest(path)
    except VideoError:
        return ""
