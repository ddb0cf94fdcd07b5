"""Files into records of an index: each content is decoded once, and what was finished is kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dns_core.errors import VideoError
from dns_core.index import EncodedVideo
from dns_core.index.pending import Pending
from dns_core.index.reader import Index
from dns_core.ports import Progress
from dns_core.records import Quarantined
from dns_core.retrieval.encode import VideoEncoder
from dns_core.video.probe import content_digest, probe_video

if TYPE_CHECKING:
    from dns_core.retrieval.pipeline import FeaturePipeline, NamedVideos


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
    """Describes files for an index, and keeps the records beside it until they are in it.

    Args:
        index: the folder of the index; it need not be there.
        pipeline: describes the files.
        encoder: makes the records.
        known: an index whose records may be used again.
    """

    def __init__(
        self, index: Path, pipeline: "FeaturePipeline", encoder: VideoEncoder, known: Index | None = None
    ) -> None:
        self.pending = Pending(index, encoder.origin)
        self._pipeline = pipeline
        self._encoder = encoder
        self._known = known
        probes = known.probes if known else ()
        self._rows = {probe.sha256: row for row, probe in enumerate(probes) if probe}

    def take(
        self, videos: "NamedVideos", progress: Progress, digests: Mapping[str, str] | None = None
    ) -> Taken:
        """Each video has a record, or a reason why not.

        Args:
            videos: what to describe.
            progress: shows how far it has come.
            digests: of the content, by id, as far as they are known.
        """
        taken = Taken()
        for video_id, path in progress.track(videos, "indexing", len(videos)):
            sha256 = (digests or {}).get(video_id, "")
            try:
                sha256 = sha256 or content_digest(path)
                if sha256 not in self._rows and not self.pending.has(sha256):
                    self._describe(path, video_id, sha256)
                    taken.n_decoded += 1
                taken.contents[video_id] = sha256
            except VideoError as error:
                taken.quarantine.append(Quarantined(video_id, error.reason, error.detail, sha256))
                progress.say(f"quarantined {video_id}: {error}")
        return taken

    def records(self, taken: Taken) -> Iterator[EncodedVideo]:
        """The records of what was taken, one in memory at a time."""
        for video_id, sha256 in taken.contents.items():
            record = self._record(sha256)
            probe = record.probe and replace(record.probe, video_id=video_id)
            yield replace(record, video_id=video_id, probe=probe)

    def _describe(self, path: Path, video_id: str, sha256: str) -> None:
        probe = probe_video(path, video_id, sha256)
        record = self._encoder.encode(self._pipeline.features(path, video_id), probe)
        self.pending.write(sha256, record)

    def _record(self, sha256: str) -> EncodedVideo:
        if self._known is not None and sha256 in self._rows:
            return self._known.record(self._rows[sha256])
        return self.pending.read(sha256)
