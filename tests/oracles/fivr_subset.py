"""20 queries x 500 videos of FIVR-5K with seeded features: what the reference's evaluation was run on.

The draws follow one another, so that the features of the first videos can be made without the rest.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dns_core.datasets.benchmark import Benchmark
from dns_core.datasets.fivr import VISUAL_TASKS
from dns_core.records import GroundTruth
from dns_core.store.plain_pickle import read_plain_pickle

_STRENGTHS = {"ND": 0.6, "DS": 0.9, "CS": 1.3, "IS": 1.8}


@dataclass(frozen=True, slots=True)
class Subset:
    """``sources[video]``: the query and label that its features are a noisy copy of."""

    queries: tuple[str, ...]
    database: tuple[str, ...]
    absent: tuple[str, ...]
    annotation: dict[str, dict[str, list[str]]]
    sources: dict[str, tuple[str, str]]

    def benchmark(self, n_queries: int | None = None, n_videos: int | None = None) -> Benchmark:
        """The first queries and videos as FIVR-5K."""
        queries, database = self.queries[:n_queries], self.database[:n_videos]
        labels: dict[str, dict[str, str]] = {query: {} for query in queries}
        for query in queries:
            for label in _STRENGTHS:
                for video in self.annotation[query].get(label, []):
                    if video in database:
                        labels[query].setdefault(video, label)
        return Benchmark("FIVR-5K", GroundTruth(queries, database, labels, dict(VISUAL_TASKS)))


def fivr_subset(annotation_file: Path) -> Subset:
    fivr = read_plain_pickle(annotation_file)
    annotation, database = fivr["annotation"], set(fivr["5k"]["database"])
    strong = {q: set(annotation[q].get("ND", [])) | set(annotation[q].get("DS", [])) for q in annotation}
    queries = [q for q in sorted(fivr["5k"]["queries"]) if strong[q] & database][:20]
    draw = random.Random(5)  # noqa: S311
    sources: dict[str, tuple[str, str]] = {}
    for query in queries:
        for label in _STRENGTHS:
            candidates = sorted((set(annotation[query].get(label, [])) & database) - set(queries))
            draw.shuffle(candidates)
            sources |= dict.fromkeys(candidates[:3], (query, label))
    rest = sorted(database - sources.keys() - set(queries))
    draw.shuffle(rest)
    subset = sorted(sources.keys() | set(rest[: 500 - len(sources)]))
    absent = [video for video in subset if video not in sources][:3]
    return Subset(tuple(queries), tuple(subset), tuple(absent), annotation, sources)


def write_features(path: Path, subset: Subset, n_videos: int | None = None) -> None:
    """Features of all queries and of the first videos, in the reference's layout."""
    with h5py.File(path, "w") as file:
        for video, regions in _features(subset, n_videos):
            if video not in file:
                file[video] = regions


def _features(subset: Subset, n_videos: int | None) -> Iterator[tuple[str, Any]]:
    rng = np.random.default_rng(5005)
    of_query = {}
    for query in subset.queries:
        of_query[query] = _drifting(rng, int(rng.integers(20, 151)))
        yield query, of_query[query]
    for video in subset.database[:n_videos]:
        regions = _drifting(rng, int(rng.integers(20, 151)))
        if video in subset.absent:
            continue
        if video in subset.sources:
            query, label = subset.sources[video]
            n = min(len(regions), len(of_query[query]))
            mixed = of_query[query][:n] + _STRENGTHS[label] * regions[:n]
            regions[:n] = mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)
        yield video, regions


def _drifting(rng: np.random.Generator, n_frames: int) -> Any:
    regions = rng.standard_normal((n_frames, 9, 512), dtype=np.float32)
    regions[1:] = 0.5 * regions[1:] + 0.866 * regions[:-1]
    return regions / np.linalg.norm(regions, axis=-1, keepdims=True)
