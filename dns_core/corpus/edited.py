"""Edited copies of anybody's own videos, with the answers: a benchmark from a folder.

Beside the queries and the ground truth a recipe is kept for each query: what was done to which source.
A re-run takes over every query whose recipe still holds and makes the rest.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from dns_core.corpus.edited_recipe import Recipe, Relation, read_recipe, write_recipe
from dns_core.errors import InputError, ParamsError, VideoError
from dns_core.ports import Progress, SilentProgress
from dns_core.records import Quarantined
from dns_core.store.atomic import write_json
from dns_core.store.fingerprints import fingerprint_bytes, fingerprint_file, fingerprint_json
from dns_core.store.quarantine import write_quarantine
from dns_core.video import discover_videos, other_segments, read_clip, source_segments, write_video
from dns_core.video.clip import Clip
from dns_core.video.edits import EDITS, STRENGTHS, edit_clip
from dns_core.video.edits_temporal import taken

COPY_FPS = 15.0
COPY_SIDE_PX = 480
COPY_FRAMES = 900
"""Copies are made of a source's first minute: at most this many frames, at this rate and longer side."""

_SLOWEST_FPS = 1.0
_TASKS = {"DSVR": ["ND", "DS"], "CSVR": ["ND", "DS", "CS"], "ISVR": ["ND", "DS", "CS", "IS"]}


def make_edited_copies(
    videos: Path,
    out: Path,
    *,
    seed: int,
    edits: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> None:
    """``out`` holds one edited copy of each readable video for each edit, and what each of them shows.

    Writes ``queries/*.mp4``, ``ground_truth.json``, ``quarantine.json`` (sources that could not be
    read, and why) and ``recipes/*.json``. The database is every file of the source folder. A source is
    the near-duplicate (ND) of a copy that shows all of it and the duplicate scene (DS) of an excerpt;
    the second video of a composite is a duplicate scene too. Copies depend on ``seed`` and on the ids
    and content of the sources alone; an interrupted run goes on where it stopped. Queries of an
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
    sources = _sources(videos, out)
    maker = _CopyMaker(sources, out, seed)
    recipes: list[Recipe] = []
    quarantined: list[Quarantined] = []
    for video_id in progress.track(sources, "edited copies", total=len(sources)):
        try:
            recipes.extend(maker.copies_of(video_id, names))
        except VideoError as error:
            quarantined.append(Quarantined(video_id, error.reason, error.detail))
    _remove_others(out, {recipe.query for recipe in recipes})
    write_quarantine(out / "quarantine.json", quarantined)
    write_json(out / "ground_truth.json", _ground_truth(recipes, sorted(sources)))
    progress.say(
        f"{len(recipes)} edited copies of {len(sources) - len(quarantined)} videos; "
        f"{len(quarantined)} of {len(sources)} files could not be read"
    )


def _edit_names(edits: Sequence[str] | None) -> tuple[str, ...]:
    unknown = [name for name in edits or () if name not in EDITS]
    if unknown:
        raise ParamsError(f"there is no edit {unknown[0]!r}; there are {', '.join(EDITS)}")
    return tuple(EDITS) if edits is None else tuple(dict.fromkeys(edits))


def _sources(videos: Path, out: Path) -> dict[str, Path]:
    if out.resolve().is_relative_to(videos.resolve()):
        raise InputError(f"{out} lies inside the source folder {videos}: copies would become sources")
    sources = dict(discover_videos(videos))
    if not sources:
        raise InputError(f"{videos} holds no file")
    return sources


class _CopyMaker:
    """Makes the copies of one source after another, unless they are there already."""

    def __init__(self, sources: Mapping[str, Path], out: Path, seed: int) -> None:
        self._sources, self._out, self._seed = sources, out, seed
        self._fingerprints: dict[str, str | None] = {}

    def copies_of(self, video_id: str, names: Sequence[str]) -> list[Recipe]:
        """The recipes of the video's copies; raises VideoError if the video cannot be read."""
        recipes: list[Recipe | None] = []
        source: tuple[Clip, bool] | None = None
        for name in names:
            query = _query_name(video_id, name)
            recipe = self._kept(query, video_id)
            if recipe is None:
                source = source or _read_source(self._sources[video_id])
                recipe = self._made(query, video_id, name, source)
            recipes.append(recipe)
        return [recipe for recipe in recipes if recipe is not None]

    def _kept(self, query: str, video_id: str) -> Recipe | None:
        """The recipe of an earlier run, if its copy is whole and its ingredients are what they were."""
        recipe = read_recipe(self._recipe_path(query))
        copy = self._out / "queries" / query
        if recipe is None or recipe.seed != self._seed or not copy.is_file():
            return None
        same = all(self._fingerprint(used) == content for used, content in recipe.ingredients.items())
        return (
            recipe
            if same and video_id in recipe.ingredients and copy.stat().st_size == recipe.n_bytes
            else None
        )

    def _made(self, query: str, video_id: str, name: str, source: tuple[Clip, bool]) -> Recipe | None:
        """Writes a copy and then its recipe; None if the edit needs another video and there is none."""
        clip, is_all = source
        rng = np.random.default_rng(int(fingerprint_json([self._seed, video_id, name]), 16))
        other_id, other = self._other(video_id, name)
        if other is None and EDITS[name].needs_other:
            return None
        strength = STRENGTHS[int(rng.integers(len(STRENGTHS)))]
        edited = edit_clip(clip, name, rng=rng, strength=strength, other=other)
        copy = self._out / "queries" / query
        write_video(copy, edited.frames, edited.fps)
        label = "ND" if is_all and EDITS[name].is_whole else "DS"
        relations = [Relation(video_id, label, source_segments(edited))]
        used = [video_id]
        if other_id is not None:
            relations.append(Relation(other_id, "DS", other_segments(edited)))
            used.append(other_id)
        ingredients = {u: self._fingerprint(u) or "" for u in used}
        recipe = Recipe(query, name, strength, self._seed, ingredients, copy.stat().st_size, tuple(relations))
        write_recipe(self._recipe_path(query), recipe)
        return recipe

    def _other(self, video_id: str, name: str) -> tuple[str | None, Clip | None]:
        """The second video of a composite edit: the first readable one in an order of its own."""
        if EDITS[name].kind != "composite":
            return None, None
        others = sorted(
            (other for other in self._sources if other != video_id),
            key=lambda other: fingerprint_json([self._seed, video_id, name, other]),
        )
        for other_id in others:
            try:
                return other_id, _read_source(self._sources[other_id])[0]
            except VideoError:
                continue  # it is quarantined when its own turn comes
        return None, None

    def _fingerprint(self, video_id: str) -> str | None:
        """Of the content of a source; None if it cannot be read."""
        if video_id not in self._fingerprints:
            path = self._sources.get(video_id)
            try:
                found = fingerprint_file(path) if path is not None and path.is_file() else None
            except OSError:
                found = None
            self._fingerprints[video_id] = found
        return self._fingerprints[video_id]

    def _recipe_path(self, query: str) -> Path:
        return self._out / "recipes" / f"{query}.json"


def _query_name(video_id: str, edit: str) -> str:
    """A file name no other source or edit has, readable and safe on every file system."""
    stem = re.sub(r"[^\w-]+", "_", PurePosixPath(video_id).stem)[:40]
    return f"{stem}.{fingerprint_bytes(video_id.encode())}.{edit}.mp4"


def _read_source(path: Path) -> tuple[Clip, bool]:
    """The first minute of a video at a constant rate, and whether that is all of it."""
    clip = read_clip(path, fps=COPY_FPS, max_side_px=COPY_SIDE_PX, max_frames=COPY_FRAMES + 1)
    constant = _at_constant_rate(clip)
    is_all = clip.n_frames <= COPY_FRAMES and constant.n_frames <= COPY_FRAMES
    return taken(constant, np.arange(min(constant.n_frames, COPY_FRAMES))), is_all


def _at_constant_rate(clip: Clip) -> Clip:
    """The clip with frames held or left out so that frame i is shown i / fps after the first.

    Without this a slide show would be played in a flash, and a segment's ends would not map.
    """
    fps = min(max(clip.fps, _SLOWEST_FPS), COPY_FPS)
    times_s = clip.source_times_s
    count = min(COPY_FRAMES + 1, round((times_s[-1] - times_s[0]) * fps) + 1)
    wanted_s = times_s[0] + np.arange(count) / fps
    # The nearest frame, not the last one before: sampled frames sit on either side of an even grid.
    order = np.searchsorted((times_s[1:] + times_s[:-1]) / 2, wanted_s)
    held = taken(clip, order)
    return Clip(held.frames, fps, held.source_times_s)


def _remove_others(out: Path, queries: set[str]) -> None:
    """Removes queries that an earlier run made and this one does not know; other files stay."""
    for path in sorted((out / "recipes").glob("*.json")):
        recipe = read_recipe(path)
        if recipe is not None and recipe.query not in queries:
            (out / "queries" / recipe.query).unlink(missing_ok=True)
            path.unlink()


def _ground_truth(recipes: Sequence[Recipe], database: Sequence[str]) -> dict[str, object]:
    queries = {
        recipe.query: {
            "labels": {relation.video_id: relation.label for relation in recipe.relations},
            "segments": {relation.video_id: relation.rows() for relation in recipe.relations},
        }
        for recipe in recipes
    }
    return {"format": 1, "database": list(database), "tasks": _TASKS, "queries": queries}
