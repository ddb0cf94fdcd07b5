"""Stage ``probe_videos``.

Reads: data/train, data/test/database, data/test/queries.
Writes: artifacts/probes/COLLECTION.json: readable videos, and quarantined ones with their reasons.
Params: probe_videos.
Repeats exactly: yes.
"""

from dataclasses import asdict
from pathlib import Path

from pydantic import Field

from dns_core.errors import InputError, MissingArtefactError, VideoError
from dns_core.ports import Progress
from dns_core.records import Quarantined, VideoProbe
from dns_core.stages.context import COLLECTIONS, StageConfig, StageContext
from dns_core.store.atomic import read_json, write_json
from dns_core.video.discover import discover_videos
from dns_core.video.probe import probe_video


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
        probes, quarantined = probe_folder(folder, config.longest_s, context.progress)
        context.progress.say(f"{collection}: {len(probes)} videos, {len(quarantined)} quarantined")
        for row in quarantined:
            context.progress.say(f"  quarantined {row.video_id!r}: {row.reason}: {row.detail}")
        write_json(
            context.workspace.probes(collection),
            {"videos": [asdict(row) for row in probes], "quarantine": [asdict(row) for row in quarantined]},
        )


def probe_folder(
    folder: Path, longest_s: float, progress: Progress
) -> tuple[list[VideoProbe], list[Quarantined]]:
    """Readable videos of a folder, and the others with their reasons.

    Raises:
        InputError: if the folder is missing or holds no readable video.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder of videos, found nothing")
    probes: list[VideoProbe] = []
    quarantined: list[Quarantined] = []
    for video_id, path in progress.track(discover_videos(folder), f"probing {folder.name}"):
        try:
            probe = probe_video(path, video_id)
            if probe.duration_s > longest_s:
                raise VideoError("too_large", f"lasts {probe.duration_s:.0f} s, the limit is {longest_s:g} s")
            probes.append(probe)
        except VideoError as error:
            quarantined.append(Quarantined(video_id, error.reason, error.detail))
    if not probes:
        raise InputError(f"{folder}: expected videos, found none readable ({len(quarantined)} refused)")
    return probes, quarantined


def read_probes(path: Path) -> tuple[list[VideoProbe], list[Quarantined]]:
    """What `run` wrote for one collection.

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
