"""Describing a video for an index: a pure function of file and settings to a record, written whole."""

from pathlib import Path

from dns_core.decoding.offline import probe_of
from dns_core.errors import MismatchError
from dns_core.fleet import Json, Place, Task
from dns_core.index.pending import Records
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.index_settings import IndexSettings
from dns_core.retrieval.pipeline import open_features
from dns_core.video.probe import content_digest


class Describer:
    """Writes the record of a file, unless there is one of its content.

    Args:
        settings: of `dns_core.retrieval.intake.describing`.
        place: where it runs.

    Raises:
        MismatchError: the folder has other models here than where the work was given out.
    """

    def __init__(self, settings: Json, place: Place) -> None:
        bundle = Bundle.load(Path(settings["models"]), device=place.device)
        self._pipeline = open_features(bundle, device=place.device, place=place)
        self._encoder = VideoEncoder(bundle, IndexSettings.of_params(settings["index"]))
        for role, expected in settings["fingerprints"].items():
            if (found := self._encoder.origin.models.get(role, "none")) != expected:
                raise MismatchError(f"{role} in {bundle.folder}", expected, found)
        self._records = Records(Path(settings["records"]))

    def do(self, task: Task) -> Json:
        """The digest of the content, and whether the file was decoded."""
        path = Path(task.facts["path"])
        sha256 = task.facts["sha256"] or content_digest(path)
        if self._records.has(sha256):
            return {"sha256": sha256, "decoded": False}
        features, facts = self._pipeline.described(path, task.id)
        self._records.write(sha256, self._encoder.encode(features, probe_of(facts, path, task.id, sha256)))
        return {"sha256": sha256, "decoded": True}

    def close(self) -> None:
        """End the decoder."""
        self._pipeline.decoder.close()
