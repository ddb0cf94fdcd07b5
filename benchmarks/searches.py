"""Whole searches in indexes of synthetic videos, and what it costs to open an index.

Codes are random signs: a fine comparison takes the same time for any bits, as nothing stops early.
Coarse vectors are drawn like real ones (`like_real_ones`), so that what a shortlist misses means something.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import Measured, elapsed_ms, side_by_side
from benchmarks.parts import moving_pattern
from benchmarks.peaks import Peaks
from benchmarks.vectors import like_real_ones, nearest
from dns_core.index import Index, build_index, open_index
from dns_core.index.encoded import EncodedVideo
from dns_core.models.teacher import Teacher
from dns_core.records import Float32Array, Int64Array, VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.pipeline import index_videos
from dns_core.retrieval.shards import LIMITS
from dns_core.video import write_video
from tests.oracles.slow_twins import pair_score

FINE = "fine_binary"
N_FRAMES, N_QUERY_FRAMES = 80, 104
TEACHER_DIMS = 3840
_SAMPLED_PAIRS = 4
_FPS = 2
_BUDGETS = ((0.3, 150.0), (0.05, 800.0))
_N_QUERIES, _N_NEAREST = 50, 100

# Opens an index in a process of its own and prints seconds and bytes that became resident. The peak would
# not do: a child begins with its parent's.
_OPENING = """
import sys, time
from pathlib import Path
import psutil
from dns_core.index import open_index
before = psutil.Process().memory_info().rss
started = time.perf_counter()
index = open_index(Path(sys.argv[1]))
index.ids, index.chunk_offsets, index.record(index.n_videos - 1)
print(time.perf_counter() - started, psutil.Process().memory_info().rss - before)
"""


def searches(n_videos: int, peaks: Peaks) -> Iterator[Measured]:
    """DnS at two budgets against the exhaustive search with a teacher of 9 x 3840 in single precision."""
    bundle = Bundle.load(SHIPPED_MODELS)
    query, teacher_pairs = _query(), _teacher_pairs()
    shape = N_QUERY_FRAMES, N_FRAMES
    pair_ms = peaks.codes_ms(*shape, *sample_record(bundle).frames[FINE].shape[1:]) + peaks.comparator_ms(
        *shape
    )
    with tempfile.TemporaryDirectory() as folder:
        vectors, _ = like_real_ones(
            np.random.default_rng(0), n_videos, sample_record(bundle).coarse.shape[1], 1
        )
        engine = Engine(synthetic_index(Path(folder), bundle, vectors, N_FRAMES), bundle, fine=FINE)
        for share, target in _BUDGETS:
            fast_ms, sample_ms, first_ms = side_by_side(
                lambda share=share: engine.search(query, budget=Budget(share=share)),  # type: ignore[misc]
                teacher_pairs,
                repeats=3,
            )
            yield Measured(
                f"DnS query at {share:.0%}",
                f"{n_videos} videos of {N_FRAMES} frames, query of {N_QUERY_FRAMES}, from whitened features",
                fast_ms,
                sample_ms / _SAMPLED_PAIRS * n_videos,
                first_ms,
                target,
                f"slow twin extrapolated from {_SAMPLED_PAIRS} pairs",
                share * n_videos * pair_ms / fast_ms,
            )


def growth(sizes: tuple[int, ...]) -> dict[str, float]:
    """A search that compares nothing finely, what its shortlist misses, and what the index takes, by size."""
    bundle = Bundle.load(SHIPPED_MODELS)
    dims, query = sample_record(bundle).coarse.shape[1], _query()
    figures: dict[str, float] = {}
    totals: list[float] = []
    for n_videos in sizes:
        vectors, asked = like_real_ones(np.random.default_rng(0), n_videos, dims, _N_QUERIES)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            built_ms = elapsed_ms(lambda path=path, v=vectors: synthetic_index(path, bundle, v, 4))  # type: ignore[misc]
            index = open_index(path / "index")
            engine = Engine(index, bundle, fine=FINE)
            for _ in range(2):
                result = engine.search(query, budget=Budget(share=0.0))
            # A fixed command whose only argument is a folder made here.
            command = [sys.executable, "-c", _OPENING, str(path / "index")]
            seconds, n_bytes = subprocess.run(command, capture_output=True, check=True).stdout.split()  # noqa: S603
            on_disk = sum(file.n_bytes for shard in index.manifest.shards for file in shard.files.values())
            totals.append(result.timing_ms["total"])
            figures |= {
                f"{n_videos} videos: built in s": built_ms / 1000,
                f"{n_videos} videos: coarse ms": result.timing_ms["coarse"],
                f"{n_videos} videos: select ms": result.timing_ms["select"],
                f"{n_videos} videos: total ms without re-ranking": totals[-1],
                f"{n_videos} videos: recall@{_N_NEAREST} of a shortlist": _shortlist_recall(index, asked),
                f"{n_videos} videos: opened in s": float(seconds),
                f"{n_videos} videos: resident bytes a video when open": float(n_bytes) / n_videos,
                f"{n_videos} videos: bytes a video of 4 frames on disk": on_disk / n_videos,
            }
    return figures | {"ms of a search grow with videos to the power of": _slope(sizes, totals)}


def _shortlist_recall(index: Index, asked: Float32Array) -> float:
    """Share of the videos nearest to each of ``asked`` ``[Q, E]`` that a shortlist holds."""
    found = [
        np.isin(nearest(index.coarse_scores(one)[0], _N_NEAREST), index.nearest(one, LIMITS.shortlist)).mean()
        for one in asked[:, None]
    ]
    return float(np.mean(found))


def _slope(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """1 if the cost grows as the size does, less if slower."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def lengths(durations_s: tuple[int, ...]) -> dict[str, float]:
    """Milliseconds of a search that compares one video finely and whole, by its and the query's length."""
    bundle = Bundle.load(SHIPPED_MODELS)
    shortest_s, figures = durations_s[0], {}
    _compare_ms(bundle, shortest_s, shortest_s)  # compiles
    found = [_compare_ms(bundle, duration_s, shortest_s) for duration_s in durations_s]
    asked = [_compare_ms(bundle, shortest_s, duration_s) for duration_s in durations_s]
    for duration_s, found_ms, asked_ms in zip(durations_s, found, asked, strict=True):
        figures[f"a video of {duration_s} s, asked {shortest_s} s: ms"] = found_ms
        figures[f"a video of {shortest_s} s, asked {duration_s} s: ms"] = asked_ms
    figures["ms of a search grow with a video's length to the power of"] = _slope(durations_s, found)
    figures["ms of a search grow with a query's length to the power of"] = _slope(durations_s, asked)
    return figures


def _compare_ms(bundle: Bundle, found_s: int, asked_s: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        vectors, _ = like_real_ones(np.random.default_rng(0), 1, sample_record(bundle).coarse.shape[1], 1)
        engine = Engine(synthetic_index(Path(folder), bundle, vectors, _FPS * found_s), bundle, fine=FINE)
        query = _query(_FPS * asked_s)
        return elapsed_ms(lambda: engine.search(query, budget=Budget(share=1.0)))


def indexing(durations_s: tuple[int, ...]) -> dict[str, float]:
    """Seconds that a video takes to become searchable, from its file, by its length."""
    bundle = Bundle.load(SHIPPED_MODELS)
    figures: dict[str, float] = {}
    for duration_s in durations_s:
        with tempfile.TemporaryDirectory() as folder:
            videos = Path(folder) / "videos"
            write_video(videos / "film.mp4", moving_pattern(duration_s * 25, 360, 640), 25.0)
            ms = elapsed_ms(lambda v=videos, f=folder: index_videos(v, Path(f) / "index", bundle))  # type: ignore[misc]
        figures[f"a file of {duration_s} s, 640 x 360: indexed in s"] = ms / 1000
    slope = _slope(durations_s, tuple(figures.values()))
    return figures | {"s to index grow with a file's length to the power of": slope}


def synthetic_index(folder: Path, bundle: Bundle, vectors: Float32Array, n_frames: int) -> Index:
    """An index of a video of random codes for each of ``vectors`` ``[V, E]``, that the bundle accepts."""
    settings = replace(bundle.index_settings, fine_networks=(FINE,))
    encoder = VideoEncoder(bundle, settings)
    code = encoder.encode(_query(4)).frames[FINE].shape[1:]
    spans = settings.chunking.spans(n_frames)
    build_index(folder / "index", _records(vectors, (n_frames, *code), spans), encoder.origin)
    return open_index(folder / "index")


def _records(vectors: Float32Array, shape: tuple[int, ...], spans: Int64Array) -> Iterator[EncodedVideo]:
    """A record for each of ``vectors``, its codes of a ``shape`` ``[T, R, W]``."""
    rng = np.random.default_rng(0)
    for number, vector in enumerate(vectors):
        yield EncodedVideo(
            video_id=f"video-{number:07}.mp4",
            content=f"{number:064x}",
            times_s=np.arange(shape[0]) / _FPS,
            spans=spans,
            coarse=np.repeat(vector[None], len(spans), axis=0),
            numbers={FINE: rng.random(len(spans), dtype=np.float32)},
            frames={FINE: rng.integers(0, 2**64, shape, dtype=np.uint64)},
        )


def sample_record(bundle: Bundle) -> EncodedVideo:
    """A record of these models, for its shapes."""
    return VideoEncoder(bundle, replace(bundle.index_settings, fine_networks=(FINE,))).encode(_query(4))


def _query(n_frames: int = N_QUERY_FRAMES) -> VideoFeatures:
    regions = np.random.default_rng(1).standard_normal((n_frames, 9, 512), dtype=np.float32)
    regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
    return VideoFeatures("query", regions, np.arange(n_frames) / _FPS)


def _teacher_pairs() -> Callable[[], list[float]]:
    """Scores some pairs of already gated vectors, as the exhaustive search would all."""
    torch.manual_seed(0)
    network = Teacher(TEACHER_DIMS).eval()
    query, target = torch.rand(N_QUERY_FRAMES, 9, TEACHER_DIMS), torch.rand(N_FRAMES, 9, TEACHER_DIMS)
    return lambda: [pair_score(network, query, target) for _ in range(_SAMPLED_PAIRS)]
