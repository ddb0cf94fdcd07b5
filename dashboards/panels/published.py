"""Figures that others published, with their source; of other videos than the workspace's own.

They are marked as such wherever they are drawn: two benchmarks share no axis.
"""

from dataclasses import dataclass

BENCHMARK = "FIVR-200K"
TASKS = ("DSVR", "CSVR", "ISVR")
_VVS_README = "table in the README of github.com/sejong-rcv/VVS"


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """What a method reached on `BENCHMARK`.

    Attributes:
        method: as its authors call it.
        precision: mean average precision in [0, 1] for each of `TASKS`.
        stored: what is kept, in words.
        bytes_per_video: of a method that keeps a fixed number of values a video, at four bytes each; None for
            those that keep some for every frame.
        source: where it stands.
    """

    method: str
    precision: tuple[float, float, float]
    stored: str
    bytes_per_video: float | None
    source: str

    def of(self, task: str) -> float | None:
        """Mean average precision of a task; None for a task that the benchmark has not."""
        return self.precision[TASKS.index(task)] if task in TASKS else None


PUBLISHED: tuple[PublishedFigure, ...] = (
    PublishedFigure("DnS, fine attention", (0.921, 0.875, 0.741), "9 x 512 a frame", None, _VVS_README),
    PublishedFigure("ViSiL", (0.899, 0.854, 0.723), "9 x 3840 a frame", None, _VVS_README),
    PublishedFigure("SCFV + TNIP256", (0.896, 0.833, 0.674), "512 bits + 1024 a frame", None, _VVS_README),
    PublishedFigure("TCA, frames", (0.877, 0.830, 0.703), "1024 a frame", None, _VVS_README),
    PublishedFigure("VVS 3840", (0.711, 0.689, 0.590), "3840 a video", 3840 * 4.0, _VVS_README),
    PublishedFigure("VVS 1024", (0.645, 0.627, 0.536), "1024 a video", 1024 * 4.0, _VVS_README),
    PublishedFigure("DnS, coarse", (0.574, 0.558, 0.476), "1024 a video", 1024 * 4.0, _VVS_README),
    PublishedFigure("TMK", (0.417, 0.394, 0.319), "65536 a video", 65536 * 4.0, _VVS_README),
)
