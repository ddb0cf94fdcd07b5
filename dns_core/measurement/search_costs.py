"""What a query costs, taken apart: measured on made-up indices of two sizes, and on pairs of the real one."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dns_core.evaluation.cost import SearchCost
from dns_core.index.build import Origin, build_index
from dns_core.index.encoded import EncodedVideo
from dns_core.index.nearest import ChunkCodes, write_codes
from dns_core.index.reader import Index, open_index
from dns_core.measurement.timing import Timing, machine_is_busy, time_in_turns
from dns_core.records import Float32Array, Int64Array, VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.shards import LIMITS

# Far enough apart that the difference is more than noise, and written within seconds; a larger one has codes.
_SIZES = (1_000, 48_000)
_CODED = (8_192, 65_536)
# Codes of few samples find less, and are looked at in the same time.
_CODED_SAMPLE = 1_024
_REPEATS = 5
_PAIRS, _LOCALISED = 60, 10


def measure_costs(engine: Engine, queries: Sequence[VideoFeatures]) -> SearchCost:
    """The cost of a query on this machine, with the models of an engine.

    Args:
        engine: of the index whose pairs are compared; it holds a video or more.
        queries: that are asked, one or more; the one of median length is.
    """
    query = sorted(queries, key=lambda one: len(one.times_s))[len(queries) // 2]
    stretches = engine.stretches(query)
    few, many = _rows(engine, _PAIRS // 4), _rows(engine, _PAIRS)
    with tempfile.TemporaryDirectory() as folder:
        small, large = (_made_up(engine, Path(folder) / str(n), n) for n in _SIZES)
        coded = {n: _codes(Path(folder) / f"{n}.codes", engine, n) for n in _CODED}
        asked = _vectors(engine, 1)
        timings = time_in_turns(
            {
                "small": lambda: small.search(query, budget=Budget(share=0.0)),
                "large": lambda: large.search(query, budget=Budget(share=0.0)),
                "small, one chosen": lambda: small.search(query, budget=Budget(share=1 / _SIZES[0])),
                "large, one chosen": lambda: large.search(query, budget=Budget(share=1 / _SIZES[1])),
                "looked at": lambda: small.candidates(query),
                "listed": lambda: large.candidates(query, shortlisted=True),
                "nearest": lambda: large.index.nearest(asked, LIMITS.shortlist),
                "short": lambda: small.fine_scores(stretches, np.arange(_PAIRS)),
                "few": lambda: engine.fine_scores(stretches, few),
                "many": lambda: engine.fine_scores(stretches, many),
                "localised": lambda: engine.segments(stretches, many[:_LOCALISED]),
                **{str(n): lambda c=codes: c.nearest(asked, LIMITS.shortlist) for n, codes in coded.items()},  # type: ignore[misc]
            },
            _REPEATS,
        )
    return _fitted(timings, _Cells(engine, query, few, many))


class _Cells:
    """Frame pairs of a query with the videos of some rows."""

    def __init__(self, engine: Engine, query: VideoFeatures, few: Int64Array, many: Int64Array) -> None:
        frames = [len(query.times_s) * engine.index.n_frames(int(row)) for row in many]
        self.more = max(1, sum(frames[len(few) :]))
        self.short = len(query.times_s) * len(many)
        self.localised = max(1, sum(frames[:_LOCALISED]))


# The fastest of the repeats: other load on the machine only adds time.
def _fitted(timings: dict[str, Timing], cells: _Cells) -> SearchCost:
    seconds = {name: timing.least_s for name, timing in timings.items()}
    fixed_s, video_s = _line(seconds["small"], seconds["large"])
    chosen_s, chosen_video_s = _line(seconds["small, one chosen"], seconds["large, one chosen"])
    pair_s, cell_s = np.linalg.solve(
        [[_PAIRS, cells.short], [_PAIRS - _PAIRS // 4, cells.more]],
        [seconds["short"], seconds["many"] - seconds["few"]],
    )
    first, last = (seconds[str(n)] for n in _CODED)
    chunk_s = max(0.0, (last - first) / (_CODED[1] - _CODED[0]))
    listed_s = seconds["listed"] - seconds["nearest"] - seconds["looked at"]
    return SearchCost(
        fixed_s=fixed_s,
        video_s=video_s,
        select_s=max(0.0, chosen_s - fixed_s),
        select_video_s=max(0.0, chosen_video_s - video_s),
        list_s=max(0.0, listed_s) + max(0.0, first - _CODED[0] * chunk_s),
        chunk_s=chunk_s,
        pair_s=max(0.0, float(pair_s)),
        cell_s=float(cell_s),
        localise_s=seconds["localised"] / cells.localised,
        whole_to=LIMITS.large_index,
        shortlist=LIMITS.shortlist,
        most_listed=LIMITS.shortlist,
        spread=max(timings[name].spread for name in ("large", "many")),
        busy=machine_is_busy(),
    )


def _line(small_s: float, large_s: float) -> tuple[float, float]:
    """What does not grow with an index, and what each of its videos adds."""
    video_s = (large_s - small_s) / (_SIZES[1] - _SIZES[0])
    return max(0.0, small_s - _SIZES[0] * video_s), video_s


def _rows(engine: Engine, count: int) -> Int64Array:
    """Of the index, evenly spread; one comes again where there are fewer."""
    return np.arange(count, dtype=np.int64) * 7 % engine.index.n_videos


def _made_up(engine: Engine, folder: Path, n_videos: int) -> Engine:
    """An engine of the same models over an index of as many videos of one frame."""
    manifest = engine.index.manifest
    origin = Origin(engine.bundle.index_models((engine.fine,)), manifest.params)
    build_index(folder, _records(engine, n_videos), origin)
    opened: Index = open_index(folder)
    return Engine(opened, engine.bundle, fine=engine.fine)


def _records(engine: Engine, n_videos: int) -> Iterator[EncodedVideo]:
    pattern = engine.index.record(0)
    only = EncodedVideo(
        video_id="", content="", times_s=pattern.times_s[:1], spans=np.array([[0, 1]]),
        coarse=pattern.coarse[:1], numbers={engine.fine: pattern.numbers[engine.fine][:1]},
        frames={engine.fine: pattern.frames[engine.fine][:1]},
    )  # fmt: skip
    for number, vector in enumerate(_vectors(engine, n_videos)):
        yield replace(only, video_id=f"{number:07}.mp4", content=f"{number:064x}", coarse=vector[None])


def _codes(path: Path, engine: Engine, n_chunks: int) -> ChunkCodes:
    write_codes(path, _vectors(engine, n_chunks), sample=_CODED_SAMPLE)
    return ChunkCodes(path)


def _vectors(engine: Engine, count: int) -> Float32Array:
    """Unit vectors as long as the index's, at random."""
    dims = engine.index.record(0).coarse.shape[1]
    drawn = np.random.default_rng(0).standard_normal((count, dims), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn
