"""A labelled benchmark from any folder of videos, as a workspace that the pipeline trains and tests in.

Train and test never share a source: a source is a top-level folder of the videos, for example one
archive, programme or repository, whose clips look alike in ways that a held-out clip would not reveal. Nor
do they share footage: a training video that shows what a test video of another source shows is left out.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.corpus.copies import CopyMaker, PlannedCopy, copy_name
from dns_core.corpus.edited import ground_truth, source_videos
from dns_core.corpus.edited_recipe import Recipe
from dns_core.data_checks.shared_footage import Nearest
from dns_core.errors import InputError, VideoError
from dns_core.measurement.own_benchmark.footage import described, shared_footage, twins
from dns_core.ports import Progress
from dns_core.records import NEUTRAL, Quarantined
from dns_core.store.atomic import write_json
from dns_core.store.quarantine import write_quarantine
from dns_core.video.edits import EDITS, STRENGTHS, Strength, random_edits
from dns_core.video.edits_strength import by_strength
from dns_core.video.probe import probe_video

CHAIN = "chain"
"""The kind of query that bears two or three spatial edits, and is an excerpt every second time."""

_CHAIN_SHARE = 6  # chains are what copies in the wild look like: as many as of six single edits

_MIN_SOURCES = 2


@dataclass(frozen=True, slots=True)
class BenchmarkConfig:
    """What kind of benchmark is made.

    Attributes:
        seed: of the copies: which videos, which parameters of the edits.
        split_seed: of the draw of sources that test.
        test_share: share of the videos, counted up to ``largest_source``, whose sources test.
        queries_per_edit: queries of each edit at each strength, and six times as many chains of edits.
        largest_source: videos of one source that are trained on or copied at most; a source with more
            would decide every figure. All videos of a test source are searched.
    """

    seed: int = 1
    split_seed: int = 1
    test_share: float = 0.5
    queries_per_edit: int = 4
    largest_source: int = 24


@dataclass(frozen=True, slots=True)
class BenchmarkQuery:
    """A query of the benchmark: the edit (or `CHAIN`) and strength by which its figures are grouped."""

    query: str
    video_id: str
    edit: str
    edits: tuple[str, ...]
    strength: Strength


def make_benchmark(videos: Path, out: Path, config: BenchmarkConfig, progress: Progress) -> None:
    """Make a workspace: ``data/train``, ``data/test/{database,queries}`` and the ground truth.

    Videos are linked where the file system allows it, else copied. Beside ``data/test/ground_truth.json``
    stands ``data/benchmark.json``: the sources of either side, what was done for each query, which
    videos of training sources are left out, since a test video shows their footage, and which test videos
    show the same footage as each other (twins): they count as neutral, neither right nor wrong. An
    interrupted run makes what is missing.

    Args:
        videos: a folder of at least two folders of videos.
        out: the folder to write; not inside ``videos``.
        config: what kind of benchmark.
        progress: shows how far it has come.

    Raises:
        InputError: ``videos`` holds fewer than two sources, ``out`` lies inside it, or no training video is
            left that shows no footage of a test source.
    """
    readable, quarantined = _readable(source_videos(videos, out), progress)
    train, test = _split(readable, config, videos)
    data = out / "data"
    train = _limited(train, config.largest_source, np.random.default_rng([config.split_seed, 1]))
    train, shared, alike = _apart(videos, train, test, progress)
    _link(videos, data / "train", train)
    _link(videos, data / "test" / "database", test)
    copied = _limited(test, config.largest_source, np.random.default_rng([config.seed, 2]))
    recipes, queries = _copies(data / "test", test, copied, config, progress)
    truth = _with_neutral_twins(ground_truth(recipes, test), alike)
    write_json(data / "test" / "ground_truth.json", truth)
    write_quarantine(data / "quarantine.json", quarantined)
    left_out = {row.video: {"shown_by": row.nearest, "similarity": row.similarity} for row in shared}
    footage = {"left_out": left_out, "twins": alike}
    write_json(data / "benchmark.json", _made(config, train, test, queries) | footage)
    found = f"{len(train)} videos to train on, {len(test)} to search, {len(recipes)} queries"
    shown = f"{len(shared)} left out of training, whose footage is among those to search"
    progress.say(f"{found}; {shown}; {len(quarantined)} files could not be read")


def _made(
    config: BenchmarkConfig, train: Sequence[str], test: Sequence[str], queries: Sequence[BenchmarkQuery]
) -> dict[str, Any]:
    """What ``data/benchmark.json`` says of the sides and the queries."""
    return {
        "format": 1,
        "config": asdict(config),
        "train_sources": sorted(set(map(source_of, train))),
        "test_sources": sorted(set(map(source_of, test))),
        "queries": {query.query: asdict(query) for query in queries},
    }


def source_of(video_id: str) -> str:
    """The top-level folder of a video; all videos that lie in no folder are one source."""
    return video_id.partition("/")[0] if "/" in video_id else "."


def _readable(sources: Mapping[str, Path], progress: Progress) -> tuple[list[str], list[Quarantined]]:
    readable: list[str] = []
    quarantined: list[Quarantined] = []
    for video_id, path in progress.track(sources.items(), "probing", len(sources)):
        try:
            probe_video(path, video_id)
            readable.append(video_id)
        except VideoError as error:
            quarantined.append(Quarantined(video_id, error.reason, error.detail))
    return sorted(readable), quarantined


def _split(ids: Sequence[str], config: BenchmarkConfig, videos: Path) -> tuple[list[str], list[str]]:
    """Sources in random order go to the test until it has its share; what it holds is not trained on."""
    members: dict[str, list[str]] = {}
    for video_id in ids:
        members.setdefault(source_of(video_id), []).append(video_id)
    if len(members) < _MIN_SOURCES:
        raise InputError(
            f"{videos}: expected {_MIN_SOURCES} or more folders of readable videos, since train and test "
            f"share no source; found {len(members)}"
        )
    counts = {source: min(len(found), config.largest_source) for source, found in members.items()}
    order = [str(s) for s in np.random.default_rng(config.split_seed).permutation(sorted(members))]
    train, test, n_test = [], [order[0]], counts[order[0]]
    for source in order[1:]:
        # A source that would take the test far over its share trains.
        if n_test + counts[source] / 2 <= config.test_share * sum(counts.values()):
            test.append(source)
            n_test += counts[source]
        else:
            train.append(source)
    if not train:
        train.append(test.pop())
    trained, tested = (sorted(v for source in side for v in members[source]) for side in (train, test))
    return trained, tested


def _limited(ids: Sequence[str], largest: int, rng: np.random.Generator) -> list[str]:
    """At most ``largest`` videos of each source."""
    kept: list[str] = []
    count: dict[str, int] = {}
    for video_id in (ids[row] for row in rng.permutation(len(ids))):
        source = source_of(video_id)
        count[source] = count.get(source, 0) + 1
        if count[source] <= largest:
            kept.append(video_id)
    return sorted(kept)


def _apart(
    videos: Path, train: Sequence[str], test: Sequence[str], progress: Progress
) -> tuple[list[str], list[Nearest], dict[str, tuple[str, ...]]]:
    """The training videos that share no footage with the test, those that do, and twins of the test."""
    trained, tested = ({video_id: videos / video_id for video_id in side} for side in (train, test))
    with described(trained, "training", progress) as ours, described(tested, "test", progress) as theirs:
        shared, alike = shared_footage(ours, theirs, progress), twins(theirs)
    kept = sorted(set(train) - {row.video for row in shared})
    if not kept:
        raise InputError(f"{videos}: every video of the training sources shows footage of a test source")
    return kept, shared, alike


def _with_neutral_twins(truth: Mapping[str, Any], alike: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The content of a ground truth in which the twins of what a query shows are labelled neutral."""

    def labels(shown: Mapping[str, str]) -> dict[str, str]:
        others = {twin for video_id in shown for twin in alike.get(video_id, ())} - shown.keys()
        return {**shown, **dict.fromkeys(sorted(others), NEUTRAL)}

    queries = {name: {**query, "labels": labels(query["labels"])} for name, query in truth["queries"].items()}
    return {**truth, "queries": queries}


def _copies(
    folder: Path, database: Sequence[str], copied: Sequence[str], config: BenchmarkConfig, progress: Progress
) -> tuple[list[Recipe], list[BenchmarkQuery]]:
    maker = CopyMaker({v: folder / "database" / v for v in database}, folder, config.seed)
    recipes: list[Recipe] = []
    made: list[BenchmarkQuery] = []
    queries = _planned(copied, config)
    for query in progress.track(queries, "edited copies", len(queries)):
        recipe = maker.make(PlannedCopy(query.query, query.video_id, query.edits, query.strength))
        if recipe is not None:
            recipes.append(recipe)
            made.append(query)
    maker.remove_others({recipe.query for recipe in recipes})
    return recipes, made


def _planned(copied: Sequence[str], config: BenchmarkConfig) -> list[BenchmarkQuery]:
    """Every edit at every strength as often; every video is copied as often, give or take one."""
    rng = np.random.default_rng([config.seed, 3])
    cells = [
        (edit, strength)
        for _ in range(config.queries_per_edit)
        for edit in (*EDITS, *[CHAIN] * _CHAIN_SHARE)
        for strength in STRENGTHS
    ]
    videos: list[str] = []
    while len(videos) < len(cells):
        videos += [copied[row] for row in rng.permutation(len(copied))]
    queries = [
        _query(video_id, edit, strength, number, rng)
        for number, (video_id, (edit, strength)) in enumerate(zip(videos, cells, strict=False))
    ]
    return sorted(queries, key=lambda query: query.video_id)


def _query(
    video_id: str, edit: str, strength: Strength, number: int, rng: np.random.Generator
) -> BenchmarkQuery:
    edits = (edit,)
    if edit == CHAIN:
        excerpt = ("trim",) if rng.random() < 0.5 else ()
        edits = (*excerpt, *random_edits(rng, strength, by_strength(strength, 2, 2, 3)))
    name = copy_name(video_id, f"{edit}.{strength}.{number}")
    return BenchmarkQuery(name, video_id, edit, edits, strength)


def _link(videos: Path, folder: Path, ids: Sequence[str]) -> None:
    """Fill ``folder`` with the videos ``ids`` of ``videos`` and remove all else."""
    for path in [p for p in folder.rglob("*") if p.is_file()] if folder.exists() else []:
        if path.relative_to(folder).as_posix() not in set(ids):
            path.unlink()
    for video_id in ids:
        target = folder / video_id
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.stat().st_size == (videos / video_id).stat().st_size:
            continue
        target.unlink(missing_ok=True)
        try:
            os.link(videos / video_id, target)
        except OSError:
            shutil.copyfile(videos / video_id, target)
