"""Which videos the demo corpus has, decided before the first is rendered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dns_core.corpus.archive import (
    CorpusSize,
    Stock,
    compose,
    draw_copy,
    draw_originals,
    draw_shot,
    draw_shots,
    draw_window,
    numbered,
)
from dns_core.corpus.compose import VideoPlan, part_starts
from dns_core.corpus.recipes import ARCHIVE, DEMO, EXCERPT, WHOLE
from dns_core.corpus.shots import Shot
from dns_core.corpus.sources import SOURCES

DEMO_QUERY = "test/queries/edited-excerpt.mp4"
"""An edited excerpt of a shot that one video of the database shows, and no other."""


@dataclass(frozen=True, slots=True)
class CorpusPlan:
    """Every shot by id, and every video by path."""

    shots: Mapping[str, Shot]
    videos: Mapping[str, VideoPlan]


def plan_corpus(seed: int, size: CorpusSize) -> CorpusPlan:
    """The same plan for the same seed and size.

    Train and database each hold original compositions that share shots, and edited copies of some; the
    queries are edited copies, excerpts and new compositions of what the database holds.
    """
    rngs = [np.random.default_rng([seed, part]) for part in range(3)]
    train_shots = draw_shots(rngs[0], size, "train", size.train, size.takes[0])
    train = _archive(Stock(rngs[0], size, train_shots), size.train, "train/train")
    stock = Stock(rngs[1], size, draw_shots(rngs[1], size, "test", size.database, size.takes[1]))
    demo_shot = _draw_demo_shot(stock)
    database = _archive(stock, size.database, "test/database/archive", demo_shot)
    fillers = draw_shots(rngs[2], size, "filler", size.queries, 1)
    queries = _queries(Stock(rngs[2], size, stock.shots), database, demo_shot, sorted(fillers))
    return CorpusPlan({**train_shots, **stock.shots, **fillers}, {**train, **database, **queries})


def _draw_demo_shot(stock: Stock) -> str:
    """The only take of the first scene: no other camera there comes close to being the answer."""
    source = SOURCES[next(iter(stock.shots.values())).source]
    drawn = draw_shot(stock.rng, stock.size, source, source.scenes[0], 0)
    shot = replace(drawn, duration_s=sum(stock.size.shot_s) / 2)
    others = {i: s for i, s in stock.shots.items() if (s.source, s.scene) != (shot.source, shot.scene)}
    stock.shots = {**others, shot.shot_id: shot}
    return shot.shot_id


def _archive(stock: Stock, number: int, prefix: str, demo_shot: str | None = None) -> dict[str, VideoPlan]:
    """Originals and edited copies in random order; train's may be excerpts and mix in other footage."""
    n_copies = round(0.2 * number)
    order = stock.rng.permutation(number).tolist()
    originals = list(numbered(draw_originals(stock, number - n_copies, demo_shot), "original").values())
    recipes = ARCHIVE if demo_shot else ARCHIVE + WHOLE + EXCERPT
    # Not of the first: the demo's query must have one best answer.
    bases = 1 + stock.rng.permutation(len(originals) - 1)[:n_copies]
    copies = []
    for count, base in enumerate(bases.tolist()):
        recipe = recipes[count % len(recipes)]
        copy = draw_copy(stock, originals[base], recipe, list(stock.shots))
        if not demo_shot and count % 2:
            copy = draw_window(stock.rng, copy, int(stock.rng.integers(len(copy.parts))), stock.shots)
        copies.append(copy)
    paths = {plan.path: f"{prefix}-{order[i] + 1:03d}.mp4" for i, plan in enumerate(originals)}
    plans = [replace(plan, path=paths[plan.path]) for plan in originals]
    plans += [
        replace(
            copy, path=f"{prefix}-{order[len(originals) + i] + 1:03d}.mp4", copy_of=paths[copy.copy_of or ""]
        )
        for i, copy in enumerate(copies)
    ]
    return {plan.path: plan for plan in sorted(plans, key=lambda plan: plan.path)}


def _queries(
    stock: Stock, database: Mapping[str, VideoPlan], demo_shot: str, fillers: Sequence[str]
) -> dict[str, VideoPlan]:
    n_copies, n_compilations = round(0.37 * stock.size.queries), round(0.1 * stock.size.queries)
    n_excerpts = stock.size.queries - n_copies - n_compilations - 1
    originals = [plan for plan in database.values() if plan.copy_of is None]
    source = next(p for p in originals if any(part.shot_id == demo_shot for part in p.parts))
    originals.remove(source)
    uses = Counter(part.shot_id for plan in database.values() for part in plan.parts)
    met = [plan for plan in originals if any(uses[part.shot_id] >= 2 for part in plan.parts)]
    demo = replace(_middle_of(source, demo_shot), path=DEMO_QUERY, copy_of=source.path, edits=DEMO)
    copies = [
        draw_copy(stock, plan, WHOLE[i % len(WHOLE)], fillers)
        for i, plan in enumerate(_copied(stock.rng, met, database, n_copies))
    ]
    excerpts = [
        draw_copy(stock, plan, EXCERPT[i % len(EXCERPT)], fillers)
        for i, plan in enumerate(_excerpts(stock, originals, uses, n_excerpts))
    ]
    compilations = [
        replace(_compilation(stock, uses), edits=ARCHIVE[i % len(ARCHIVE)]) for i in range(n_compilations)
    ]
    return {
        DEMO_QUERY: replace(demo, seed=int(stock.rng.integers(2**31))),
        **numbered(copies, "test/queries/copy"),
        **numbered(excerpts, "test/queries/excerpt"),
        **numbered(compilations, "test/queries/compilation"),
    }


def _middle_of(plan: VideoPlan, shot_id: str) -> VideoPlan:
    number = [part.shot_id for part in plan.parts].index(shot_id)
    start_s, length_s = float(part_starts(plan.parts)[number]), plan.parts[number].duration_s
    return replace(plan, window_s=(round(start_s + 0.12 * length_s, 3), round(start_s + 0.88 * length_s, 3)))


def _copied(
    rng: np.random.Generator, originals: Sequence[VideoPlan], database: Mapping[str, VideoPlan], number: int
) -> list[VideoPlan]:
    """Originals to copy, every second one of those that the database holds a copy of already."""
    copied = {plan.copy_of for plan in database.values()}
    order = [originals[i] for i in rng.permutation(len(originals)).tolist()]
    twice = [plan for plan in order if plan.path in copied]
    once = [plan for plan in order if plan.path not in copied]
    return [plan for pair in zip(once, twice, strict=False) for plan in pair][:number] or once[:number]


def _excerpts(
    stock: Stock, originals: Sequence[VideoPlan], uses: Mapping[str, int], number: int
) -> list[VideoPlan]:
    """Excerpts around shots that several videos show, each shot once."""
    found = [(plan, i) for plan in originals for i in range(len(plan.parts))]
    order = [found[i] for i in stock.rng.permutation(len(found)).tolist()]
    order.sort(key=lambda each: -min(uses[each[0].parts[each[1]].shot_id], 3))
    chosen: dict[str, VideoPlan] = {}
    for plan, i in order:
        shot_id = plan.parts[i].shot_id
        if shot_id not in chosen and len(chosen) < number:
            chosen[shot_id] = draw_window(stock.rng, plan, i, stock.shots)
    return list(chosen.values())


def _compilation(stock: Stock, uses: Mapping[str, int]) -> VideoPlan:
    """A new composition of three shots that the database holds."""
    used = [shot_id for shot_id in stock.shots if uses.get(shot_id, 0) >= 2]
    chosen = stock.rng.choice(len(used), size=min(3, len(used)), replace=False)
    return compose(stock, [used[i] for i in chosen])
