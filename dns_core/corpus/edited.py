"""Edited copies of a folder's videos with ground truth: a benchmark from any folder."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.corpus.copies import CopyMaker, PlannedCopy, copy_name
from dns_core.corpus.edited_recipe import Recipe
from dns_core.errors import InputError, ParamsError, VideoError
from dns_core.ports import Progress, SilentProgress
from dns_core.records import Quarantined
from dns_core.store.atomic import write_json
from dns_core.store.fingerprints import fingerprint_json
from dns_core.store.quarantine import write_quarantine
from dns_core.video import discover_videos
from dns_core.video.edits import EDITS, STRENGTHS

_TASKS = {"DSVR": ["ND", "DS"], "CSVR": ["ND", "DS", "CS"], "ISVR": ["ND", "DS", "CS", "IS"]}


def make_edited_copies(
    videos: Path,
    out: Path,
    *,
    seed: int,
    edits: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> None:
    """Make one edited copy of each readable video for each edit, with ground truth.

    Writes ``queries/*.mp4``, ``ground_truth.json``, ``quarantine.json`` (sources that could not be
    read, and why) and ``recipes/*.json``. The database is every file of the source folder. A source is
    the near-duplicate (ND) of a copy that shows all of it and the duplicate scene (DS) of an excerpt;
    the second video of a composite is a duplicate scene too. Copies depend on ``seed`` and on the ids
    and content of the sources alone; an interrupted run resumes. Queries of an
    earlier run that are not asked for any more are removed.

    Args:
        videos: the source folder, read with its subfolders.
        out: the folder to write; not inside ``videos``, or copies would become sources.
        seed: of every draw.
        edits: names in `dns_core.video.edits.EDITS`; all of them if None.
        progress: shows how far it has come.

    Raises:
        InputError: ``videos`` is not a folder or holds no file, or ``out`` lies inside it.
        ParamsError: there is no such edit.
    """
    progress = progress or SilentProgress()
    names = _edit_names(edits)
    sources = source_videos(videos, out)
    maker = CopyMaker(sources, out, seed)
    recipes, quarantined = _made(maker, names, sources, seed, progress)
    maker.remove_others({recipe.query for recipe in recipes})
    write_quarantine(out / "quarantine.json", quarantined)
    write_json(out / "ground_truth.json", ground_truth(recipes, sorted(sources)))
    progress.say(
        f"{len(recipes)} edited copies of {len(sources) - len(quarantined)} videos; "
        f"{len(quarantined)} of {len(sources)} files could not be read"
    )


def _made(
    maker: CopyMaker, names: Sequence[str], sources: Collection[str], seed: int, progress: Progress
) -> tuple[list[Recipe], list[Quarantined]]:
    recipes: list[Recipe] = []
    quarantined: list[Quarantined] = []
    for video_id in progress.track(sources, "edited copies", total=len(sources)):
        try:
            made = [maker.make(_plan(video_id, name, seed)) for name in names]
            recipes += [recipe for recipe in made if recipe is not None]
        except VideoError as error:
            quarantined.append(Quarantined(video_id, error.reason, error.detail))
    return recipes, quarantined


def source_videos(videos: Path, out: Path) -> dict[str, Path]:
    """Path of every file under ``videos``, by id.

    Raises:
        InputError: ``videos`` is not a folder or holds no file, or ``out`` lies inside it.
    """
    if out.resolve().is_relative_to(videos.resolve()):
        raise InputError(f"{out} lies inside the source folder {videos}: copies would become sources")
    sources = dict(discover_videos(videos))
    if not sources:
        raise InputError(f"{videos} holds no file")
    return sources


def ground_truth(recipes: Sequence[Recipe], database: Sequence[str]) -> dict[str, Any]:
    """What the copies show, as `dns_core.datasets.ground_truth` reads it."""
    queries = {
        recipe.query: {
            "labels": {relation.video_id: relation.label for relation in recipe.relations},
            "segments": {relation.video_id: relation.rows() for relation in recipe.relations},
        }
        for recipe in recipes
    }
    return {"format": 1, "database": list(database), "tasks": _TASKS, "queries": queries}


def _edit_names(edits: Sequence[str] | None) -> tuple[str, ...]:
    unknown = [name for name in edits or () if name not in EDITS]
    if unknown:
        raise ParamsError(f"there is no edit {unknown[0]!r}; there are {', '.join(EDITS)}")
    return tuple(EDITS) if edits is None else tuple(dict.fromkeys(edits))


def _plan(video_id: str, name: str, seed: int) -> PlannedCopy:
    rng = np.random.default_rng(int(fingerprint_json([seed, video_id, name]), 16))
    strength = STRENGTHS[int(rng.integers(len(STRENGTHS)))]
    return PlannedCopy(copy_name(video_id, name), video_id, (name,), strength)
