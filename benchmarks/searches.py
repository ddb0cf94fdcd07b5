"""Whole searches in indexes of synthetic videos, and what it costs to open an index.

Codes are random signs and vectors random directions: a search takes the same time whatever the bits are, as
nothing stops early. What is found means nothing here.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import Measured, elapsed_ms, side_by_side
from benchmarks.parts import moving_pattern
from dns_core.index import Index, build_index, open_index
from dns_core.index.build import Origin
from dns_core.index.chunks import Chunking
from dns_core.index.encoded import EncodedVideo
from dns_core.models.teacher import Teacher
from dns_core.records import VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.pipeline import index_videos
from dns_core.video import write_video
from tests.oracles.slow_twins import pair_score

FINE = "fine_binary"
N_FRAMES, N_QUERY_FRAMES = 80, 104
TEACHER_DIMS = 3840
_SAMPLED_PAIRS = 4
_FPS = 2
_BUDGETS = ((0.3, 150.0), (0.05, 800.0))

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


def searches(n_videos: int) -> Iterator[Measured]:
    """DnS at two budgets against the exhaustive search with a teacher of 9 x 3840 in single precision."""
    bundle = Bundle.load(SHIPPED_MODELS)
    query, teacher_pairs = _query(), _teacher_pairs()
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(synthetic_index(Path(folder), bundle, n_videos, N_FRAMES), bundle, fine=FINE)
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
            )


def growth(sizes: tuple[int, ...]) -> dict[str, float]:
    """Milliseconds of the coarse stage and selection, bytes a video, seconds and memory to open, by size."""
    bundle = Bundle.load(SHIPPED_MODELS)
    query = _query()
    figures: dict[str, float] = {}
    for n_videos in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            built_ms = elapsed_ms(lambda path=path, n=n_videos: synthetic_index(path, bundle, n, 4))  # type: ignore[misc]
            engine = Engine(open_index(path / "index"), bundle, fine=FINE)
            for _ in range(2):
                result = engine.search(query, budget=Budget(share=0.0))
            # A fixed command whose only argument is a folder made here.
            command = [sys.executable, "-c", _OPENING, str(path / "index")]
            seconds, n_bytes = subprocess.run(command, capture_output=True, check=True).stdout.split()  # noqa: S603
            figures |= {
                f"{n_videos} videos: built in s": built_ms / 1000,
                f"{n_videos} videos: coarse ms": result.timing_ms["coarse"],
                f"{n_videos} videos: select ms": result.timing_ms["select"],
                f"{n_videos} videos: total ms without re-ranking": result.timing_ms["total"],
                f"{n_videos} videos: opened in s": float(seconds),
                f"{n_videos} videos: resident bytes a video when open": float(n_bytes) / n_videos,
            }
    return figures


def lengths(durations_s: tuple[int, ...]) -> dict[str, float]:
    """Milliseconds of a search that compares one video finely and whole, by its and the query's length."""
    bundle = Bundle.load(SHIPPED_MODELS)
    shortest_s, figures = durations_s[0], {}
    _compare_ms(bundle, shortest_s, shortest_s)  # compiles
    for duration_s in durations_s:
        found, asked = (
            _compare_ms(bundle, duration_s, shortest_s),
            _compare_ms(bundle, shortest_s, duration_s),
        )
        figures[f"a video of {duration_s} s, asked {shortest_s} s: ms"] = found
        figures[f"a video of {shortest_s} s, asked {duration_s} s: ms"] = asked
    return figures


def _compare_ms(bundle: Bundle, found_s: int, asked_s: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(synthetic_index(Path(folder), bundle, 1, _FPS * found_s), bundle, fine=FINE)
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
    return figures


def synthetic_index(folder: Path, bundle: Bundle, n_videos: int, n_frames: int) -> Index:
    """An index of random codes and directions that the bundle's networks accept."""
    origin = Origin(bundle.index_models((FINE,)), {"chunking": asdict(Chunking()), "fine_networks": [FINE]})
    dims = VideoEncoder(bundle, (FINE,)).encode(_query(4)).coarse.shape[1]
    build_index(folder / "index", _records(n_videos, n_frames, dims), origin)
    return open_index(folder / "index")


def _records(n_videos: int, n_frames: int, dims: int) -> Iterator[EncodedVideo]:
    rng = np.random.default_rng(0)
    spans = Chunking().spans(n_frames)
    for number in range(n_videos):
        coarse = rng.standard_normal((len(spans), dims), dtype=np.float32)
        yield EncodedVideo(
            video_id=f"video-{number:07}.mp4",
            content=f"{number:064x}",
            times_s=np.arange(n_frames) / _FPS,
            spans=spans,
            coarse=coarse / np.linalg.norm(coarse, axis=1, keepdims=True),
            numbers={FINE: rng.random(len(spans), dtype=np.float32)},
            frames={FINE: rng.integers(0, 2**64, (n_frames, 9, 8), dtype=np.uint64)},
        )


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
