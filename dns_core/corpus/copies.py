"""Edited copies of videos as files, each with a recipe: what was done to which source.

A re-run takes over every copy whose recipe still holds and makes the rest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from dns_core.corpus.edited_recipe import Recipe, Relation, read_recipe, write_recipe
from dns_core.errors import VideoError
from dns_core.store.fingerprints import fingerprint_bytes, fingerprint_file, fingerprint_json
from dns_core.video import other_segments, read_clip, source_segments, write_video
from dns_core.video.clip import Clip
from dns_core.video.edits import EDITS, Strength, edit_clip
from dns_core.video.edits_temporal import taken

COPY_FPS = 15.0
COPY_SIDE_PX = 480
COPY_FRAMES = 900
"""Copies are made of a source's first minute: at most this many frames, at this rate and longer side."""

_SLOWEST_FPS = 1.0


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """A copy to make.

    Attributes:
        query: file name of the copy.
        video_id: its source.
        edits: names in `dns_core.video.edits.EDITS`, in order of use; at most one of them is composite.
        strength: of every edit.
    """

    query: str
    video_id: str
    edits: tuple[str, ...]
    strength: Strength


def copy_name(video_id: str, tag: str) -> str:
    """A file name that no other source or tag has, readable and safe on every file system."""
    stem = re.sub(r"[^\w-]+", "_", PurePosixPath(video_id).stem)[:40]
    return f"{stem}.{fingerprint_bytes(video_id.encode())}.{tag}.mp4"


class CopyMaker:
    """Makes planned copies one after another, unless they are there already.

    A copy depends on the seed, its plan, and the ids and content of the sources alone.

    Args:
        sources: path of each video, by id; the second video of a composite is one of them too.
        out: where ``queries/*.mp4`` and ``recipes/*.json`` are written.
        seed: of every draw.
    """

    def __init__(self, sources: Mapping[str, Path], out: Path, seed: int) -> None:
        self._sources, self._out, self._seed = sources, out, seed
        self._fingerprints: dict[str, str | None] = {}
        self._last_read: tuple[str, Clip, bool] | None = None

    def make(self, plan: PlannedCopy) -> Recipe | None:
        """The recipe of the copy; None if an edit needs another video and there is none.

        Raises:
            VideoError: the source cannot be read.
        """
        return self._kept(plan) or self._made(plan)

    def remove_others(self, queries: set[str]) -> None:
        """Remove copies of earlier runs that are not among ``queries``; keep other files."""
        for path in sorted((self._out / "recipes").glob("*.json")):
            recipe = read_recipe(path)
            if recipe is not None and recipe.query not in queries:
                (self._out / "queries" / recipe.query).unlink(missing_ok=True)
                path.unlink()

    def _kept(self, plan: PlannedCopy) -> Recipe | None:
        """The recipe of an earlier run, if its copy is whole and its ingredients are what they were."""
        recipe = read_recipe(self._recipe_path(plan.query))
        copy = self._out / "queries" / plan.query
        if recipe is None or not copy.is_file() or copy.stat().st_size != recipe.n_bytes:
            return None
        planned = (self._seed, plan.edits, plan.strength)
        if (recipe.seed, recipe.edits, recipe.strength) != planned or plan.video_id not in recipe.ingredients:
            return None
        same = all(self._fingerprint(used) == content for used, content in recipe.ingredients.items())
        return recipe if same else None

    def _made(self, plan: PlannedCopy) -> Recipe | None:
        """Writes a copy and then its recipe."""
        clip, is_all = self._source(plan.video_id)
        rng = np.random.default_rng(int(fingerprint_json([self._seed, plan.video_id, plan.query]), 16))
        other_id, other = self._other(plan)
        if other is None and any(EDITS[name].needs_other for name in plan.edits):
            return None
        edited = clip
        for name in plan.edits:
            edited = edit_clip(edited, name, rng=rng, strength=plan.strength, other=other)
        copy = self._out / "queries" / plan.query
        write_video(copy, edited.frames, edited.fps)
        is_whole = is_all and all(EDITS[name].is_whole for name in plan.edits)
        relations = [Relation(plan.video_id, "ND" if is_whole else "DS", source_segments(edited))]
        used = [plan.video_id]
        if other_id is not None:
            relations.append(Relation(other_id, "DS", other_segments(edited)))
            used.append(other_id)
        recipe = Recipe(
            query=plan.query,
            edits=plan.edits,
            strength=plan.strength,
            seed=self._seed,
            ingredients={video_id: self._fingerprint(video_id) or "" for video_id in used},
            n_bytes=copy.stat().st_size,
            relations=tuple(relations),
        )
        write_recipe(self._recipe_path(plan.query), recipe)
        return recipe

    def _source(self, video_id: str) -> tuple[Clip, bool]:
        """The clip of a source, and whether it is all of it; copies of one source often follow each other."""
        if self._last_read is None or self._last_read[0] != video_id:
            self._last_read = (video_id, *_read_source(self._sources[video_id]))
        return self._last_read[1:]

    def _other(self, plan: PlannedCopy) -> tuple[str | None, Clip | None]:
        """The second video of a composite edit: the first readable one in an order of its own."""
        if not any(EDITS[name].kind == "composite" for name in plan.edits):
            return None, None
        others = sorted(
            (other for other in self._sources if other != plan.video_id),
            key=lambda other: fingerprint_json([self._seed, plan.query, other]),
        )
        for other_id in others:
            try:
                return other_id, _read_source(self._sources[other_id])[0]
            except VideoError:
                continue  # reported where copies of it are made
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
