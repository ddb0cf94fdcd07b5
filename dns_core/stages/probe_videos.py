"""Stage ``probe_videos``.

Reads: data/train, data/test/database, data/test/queries.
Writes: artifacts/probes/COLLECTION.json: readable videos, and quarantined ones with their reasons.
Params: probe_videos.
Repeats exactly: yes.
"""

from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from pydantic import Field

from dns_core.decoding.offline import open_decoder, probe
from dns_core.errors import InputError, VideoError
from dns_core.fleet import Json, Place, Task, Work, run_all
from dns_core.records import Quarantined, VideoProbe
from dns_core.store.atomic import write_json
from dns_core.video.discover import discover_videos
from dns_core.workspace import COLLECTIONS, StageConfig, StageContext


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        longest_s: a video longer than this is quarantined; recordings that never end fill a disk.
    """

    longest_s: float = Field(gt=0)


def run(config: Config, context: StageContext) -> None:
    """Probe every file of every collection; one bad file never stops the rest."""
    for collection in COLLECTIONS:
        folder = context.workspace.videos(collection)
        probes, quarantined = probe_folder(folder, config.longest_s, context)
        context.progress.say(f"{collection}: {len(probes)} videos, {len(quarantined)} quarantined")
        for row in quarantined:
            context.progress.say(f"  quarantined {row.video_id!r}: {row.reason}: {row.detail}")
        write_json(
            context.workspace.probes(collection),
            {"videos": [asdict(row) for row in probes], "quarantine": [asdict(row) for row in quarantined]},
        )


def probe_folder(
    folder: Path, longest_s: float, context: StageContext
) -> tuple[list[VideoProbe], list[Quarantined]]:
    """Readable videos of a folder, and the others with their reasons, both by id.

    Args:
        folder: of one collection.
        longest_s: see `Config`.
        context: has the fleet that probes.

    Raises:
        InputError: if the folder is missing or holds no readable video.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder of videos, found nothing")
    tasks = [Task(video_id, {"path": str(path.absolute())}) for video_id, path in discover_videos(folder)]
    work = Work("dns_core.stages.probe_videos:Prober", {"longest_s": longest_s})
    with closing(run_all(context.fleet, work, tasks)) as found:
        shown = context.progress.track(found, f"probing {folder.name}", len(tasks))
        cards = sorted(shown, key=lambda card: card.id)
    probes = [VideoProbe(**card.facts) for card in cards if not card.reason]
    quarantined = [card.quarantined() for card in cards if card.reason]
    if not probes:
        raise InputError(f"{folder}: expected videos, found none readable ({len(quarantined)} refused)")
    return probes, quarantined


class Prober:
    """Probes one file a task, confined.

    Args:
        settings: ``longest_s`` of `Config`.
        place: where it runs.
    """

    def __init__(self, settings: Json, place: Place) -> None:
        self._longest_s = settings["longest_s"]
        self._decoder = open_decoder(place)

    def do(self, task: Task) -> Json:
        """The fields of a `VideoProbe`."""
        found = probe(self._decoder, Path(task.facts["path"]), task.id)
        if found.duration_s > self._longest_s:
            long = f"lasts {found.duration_s:.0f} s, the limit is {self._longest_s:g} s"
            raise VideoError("too_large", long)
        return asdict(found)

    def close(self) -> None:
        """End the decoder."""
        self._decoder.close()
