"""Plans of an archive: original compositions that share shots, and edited copies of some of them."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dns_core.corpus.compose import Part, VideoPlan, part_starts
from dns_core.corpus.recipes import MIXING, Recipe
from dns_core.corpus.shots import CORE, Shot
from dns_core.corpus.sources import SOURCES, Scene, Source, Split

_ASPECTS = (16 / 9, 16 / 9, 16 / 9, 16 / 9, 3 / 2, 4 / 3, 4 / 3, 2.35)
_N_PARTS = (0.24, 0.36, 0.22, 0.1, 0.05, 0.03)
"""Chance of 1, 2, ... shots in a video."""
_SLOWER = 2.5
"""A clip's shots last a second or two: in slow motion they fill a shot of a film."""


@dataclass(frozen=True, slots=True)
class CorpusSize:
    """How much is made; the default is the demo's.

    Attributes:
        train: videos without labels.
        database: videos that are searched.
        queries: at least 1, the demo's own.
        takes: cameras at each scene, in train and in test.
        shot_s: shortest and longest take; at least 4, so that two uses of a shot share over a second.
        longest_s: no composition is planned to be longer.
        widths_px: of the videos.
        rates_fps: of the videos.
    """

    train: int = 72
    database: int = 88
    queries: int = 30
    takes: tuple[int, int] = (3, 2)
    shot_s: tuple[float, float] = (7.0, 10.0)
    longest_s: float = 24.0
    widths_px: tuple[int, ...] = (256, 256, 288, 320)
    rates_fps: tuple[float, ...] = (10.0, 10.0, 12.0)


@dataclass(slots=True)
class Stock:
    """The shots that a split may use, and how often each is used already."""

    rng: np.random.Generator
    size: CorpusSize
    shots: Mapping[str, Shot]
    uses: Counter[str] = field(default_factory=Counter)

    def take(self, source: str, number: int, *, but: Sequence[str] = ()) -> list[str]:
        """Ids of the least used shots of a source, fewer if there are not enough."""
        found = [s.shot_id for s in self.shots.values() if s.source == source and s.shot_id not in but]
        order = self.rng.permutation(len(found)).tolist()
        chosen = [found[i] for i in sorted(order, key=lambda i: self.uses[found[i]])[:number]]
        self.uses.update(chosen)
        return chosen


def draw_shots(
    rng: np.random.Generator, size: CorpusSize, split: Split, n_videos: int, takes: int
) -> dict[str, Shot]:
    """The shots of a split by id; a small archive draws on few sources, so that its videos meet."""
    sources = [source for source in SOURCES.values() if source.split == split]
    shots = {}
    for source in sources[: max(3, math.ceil(n_videos / 6))]:
        for scene in source.scenes:
            for take in range(takes):
                shot = draw_shot(rng, size, source, scene, take)
                shots[shot.shot_id] = shot
    return shots


def draw_shot(rng: np.random.Generator, size: CorpusSize, source: Source, scene: Scene, take: int) -> Shot:
    """One take; all takes of a clip's scene last the same, so that they show the same moments."""
    shortest_s, longest_s = size.shot_s
    duration_s = float(rng.uniform(shortest_s, longest_s))
    if source.kind == "clip":
        duration_s = float(np.clip(_SLOWER * (scene.span_s[1] - scene.span_s[0]), 4.0, longest_s))
    shot_id = f"{source.name}/{scene.name}/{take}"
    return Shot(shot_id, source.name, scene.name, take, round(duration_s, 2), int(rng.integers(2**31)))


def draw_originals(stock: Stock, number: int, demo_shot: str | None = None) -> list[VideoPlan]:
    """Compositions without a path yet; the first shows ``demo_shot``, if given, between two others."""
    sources = list(dict.fromkeys(shot.source for shot in stock.shots.values()))
    order = stock.rng.permutation(sources).tolist()
    plans = []
    if demo_shot is not None:
        before, after = stock.take(stock.shots[demo_shot].source, 2, but=[demo_shot])
        plans.append(compose(stock, [before, demo_shot, after]))
        stock.uses[demo_shot] += 10**6  # no other video may take it
    while len(plans) < number:
        plans.append(compose(stock, _cast(stock, order[len(plans) % len(order)], order)))
    return plans


def compose(stock: Stock, shot_ids: Sequence[str]) -> VideoPlan:
    """The shots one after the other, hard cuts and some cross-fades, in a random format."""
    rng, size, limit_s = stock.rng, stock.size, stock.size.longest_s / len(shot_ids)
    parts = tuple(
        draw_part(rng, stock.shots[shot_id], limit_s, fades=number > 0 and rng.random() < 0.25)
        for number, shot_id in enumerate(shot_ids)
    )
    width, aspect = int(rng.choice(size.widths_px)), float(rng.choice(_ASPECTS))
    return VideoPlan(
        path="",
        parts=parts,
        size_px=(width, 2 * round(width / aspect / 2)),
        fps=float(rng.choice(size.rates_fps)),
        crf=int(rng.integers(24, 31)),
        seed=int(rng.integers(2**31)),
    )


def draw_part(rng: np.random.Generator, shot: Shot, limit_s: float, *, fades: bool) -> Part:
    """A stretch of a shot that holds its core."""
    core_start_s, core_end_s = (share * shot.duration_s for share in CORE)
    wished_s = min(rng.uniform(0.6, 1.0) * shot.duration_s, limit_s)
    if limit_s > shot.duration_s:
        wished_s = rng.uniform(0.88, 1.0) * shot.duration_s
    length_s = max(wished_s, core_end_s - core_start_s)
    start_s = rng.uniform(max(0.0, core_end_s - length_s), min(core_start_s, shot.duration_s - length_s))
    fade_s = round(0.04 * shot.duration_s, 2) if fades else 0.0
    return Part(shot.shot_id, round(start_s, 3), round(start_s + length_s, 3), fade_s)


def draw_copy(stock: Stock, original: VideoPlan, recipe: Recipe, fillers: Sequence[str]) -> VideoPlan:
    """The original, edited; its path is kept in ``copy_of``."""
    others = [shot_id for shot_id in fillers if shot_id not in {part.shot_id for part in original.parts}]
    mixes = any(name in MIXING for name, _ in recipe)
    return replace(
        original,
        path="",
        copy_of=original.path,
        edits=recipe,
        filler=str(stock.rng.choice(others)) if mixes else None,
        seed=int(stock.rng.integers(2**31)),
    )


def draw_window(
    rng: np.random.Generator, plan: VideoPlan, number: int, shots: Mapping[str, Shot]
) -> VideoPlan:
    """An excerpt around the core of one part, 4 to 10 seconds if the part lasts so long."""
    part, start_s = plan.parts[number], float(part_starts(plan.parts)[number])
    core = [start_s + share * shots[part.shot_id].duration_s - part.start_s for share in CORE]
    length_s = min(part.duration_s, max(4.0, rng.uniform(0.5, 1.0) * part.duration_s), 10.0)
    earliest_s = max(start_s, core[1] - length_s)
    latest_s = max(earliest_s, min(core[0], start_s + part.duration_s - length_s))
    from_s = rng.uniform(earliest_s, latest_s)
    return replace(plan, window_s=(round(from_s, 3), round(from_s + length_s, 3)))


def numbered(plans: Sequence[VideoPlan], prefix: str) -> dict[str, VideoPlan]:
    """The plans by path, numbered from 001 in order."""
    paths = (f"{prefix}-{number:03d}.mp4" for number in range(1, len(plans) + 1))
    return {path: replace(plan, path=path) for path, plan in zip(paths, plans, strict=True)}


def _cast(stock: Stock, main: str, sources: Sequence[str]) -> list[str]:
    """Shots of one video: all or most of one source, the rest of one other."""
    number = 1 + int(stock.rng.choice(len(_N_PARTS), p=_N_PARTS))
    if SOURCES[main].kind == "clip":
        number = max(number, 2)  # one of its shots alone would be too short
    n_guests = int(number > 1 and stock.rng.random() < 0.5) * max(1, number // 3)
    guest = str(stock.rng.choice([source for source in sources if source != main]))
    cast = stock.take(main, number - n_guests) + stock.take(guest, n_guests)
    return [cast[i] for i in stock.rng.permutation(len(cast))]
