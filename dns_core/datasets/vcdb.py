"""VCDB (Jiang et al., ECCV 2014): partial copies among web videos, with the seconds that match.

Each text file of the annotation lists lines of two videos and the start and end of the copy in either:
``A.flv,B.flv,00:00:10,00:00:25,00:01:00,00:01:15``. A pair holds in both directions.
"""

from pathlib import Path

from dns_core.datasets.benchmark import Benchmark
from dns_core.datasets.public_file import missing, read_public_lines
from dns_core.errors import GroundTruthError
from dns_core.records import GroundTruth, Segment

ORIGIN = "the folder annotation/ of VCDB (yugangjiang.info/research/VCDB)"

Stretch = tuple[float, float]
Segments = dict[str, dict[str, list[Segment]]]


def read_vcdb(path: Path) -> Benchmark:
    """VCDB's core: every video with a copy is a query, and its copies are labelled ``COPY``.

    A video is known by its file name without the suffix, as in the published features.

    Args:
        path: the folder of text files, or one of them.

    Raises:
        GroundTruthError: there is no text file, or a line does not say what it should.
    """
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    if not files:
        raise missing(path / "*.txt", ORIGIN)
    segments: Segments = {}
    for file in files:
        for number, line in enumerate(read_public_lines(file, ORIGIN), start=1):
            a, b, in_a, in_b = _copy(file, number, line)
            if a != b:
                _note(segments, a, b, (in_a, in_b))
                _note(segments, b, a, (in_b, in_a))
    truth = GroundTruth(
        queries=tuple(sorted(segments)),
        database=tuple(sorted(segments)),
        labels={query: dict.fromkeys(sorted(copies), "COPY") for query, copies in segments.items()},
        tasks={"mAP": ("COPY",)},
        segments={q: {v: tuple(found) for v, found in copies.items()} for q, copies in segments.items()},
    )
    return Benchmark("VCDB", truth)


def _note(segments: Segments, query: str, video: str, stretches: tuple[Stretch, Stretch]) -> None:
    found = segments.setdefault(query, {}).setdefault(video, [])
    found.append(Segment(*stretches[0], *stretches[1], score=1.0))


def _copy(file: Path, number: int, line: str) -> tuple[str, str, Stretch, Stretch]:
    fields = [text.strip() for text in line.split(",")]
    try:
        a, b, *clocks = fields
        start_a, end_a, start_b, end_b = (_seconds(clock) for clock in clocks)
    except ValueError:
        start_a = end_a = start_b = end_b = 0.0
    if not (start_a < end_a and start_b < end_b):
        expected = "two videos and two stretches as HH:MM:SS, each longer than nothing"
        raise GroundTruthError(f"{file}: line {number}: expected {expected}, found {line[:80]!r}")
    return Path(a).stem, Path(b).stem, (start_a, end_a), (start_b, end_b)


def _seconds(clock: str) -> float:
    """Seconds of ``HH:MM:SS``; raises ValueError if it is none."""
    hours, minutes, seconds = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
