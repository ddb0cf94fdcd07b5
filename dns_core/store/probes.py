"""What probing found out about the files of one collection, read from disk."""

from pathlib import Path

from dns_core.errors import MissingArtefactError
from dns_core.records import Quarantined, VideoProbe
from dns_core.store.atomic import read_json


def read_probes(path: Path) -> tuple[list[VideoProbe], list[Quarantined]]:
    """Facts of the videos of one collection, and the files that could not be read.

    Raises:
        MissingArtefactError: if the stage has not run.
    """
    if not path.exists():
        raise MissingArtefactError(f"{path}: not found; run `dns stage probe_videos` first")
    content = read_json(path)
    return (
        [VideoProbe(**row) for row in content["videos"]],
        [Quarantined(**row) for row in content["quarantine"]],
    )
