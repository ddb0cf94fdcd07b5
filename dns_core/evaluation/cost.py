"""How many bytes an indexed video takes, and how many seconds a query."""

import math
from collections.abc import Collection
from dataclasses import dataclass

LARGEST_SPREAD = 1.0
"""Range of the medians of repeats over their median, above which timings say nothing."""

_BITS_PER_BYTE = 8


def descriptor_bytes(*, n_vectors: int, dims: int, bits_per_dim: int) -> int:
    """Bytes of ``n_vectors`` vectors, each padded to whole bytes.

    Args:
        n_vectors: vectors kept of one video: 1 for a coarse descriptor, frames times regions for fine.
        dims: D, numbers a vector.
        bits_per_dim: 32 for float32, 1 for binary codes.

    Reference:
        Kordopatis-Zilos et al., IJCV 2022 (arXiv 2106.13266), table of storage: a frame of 9 regions of
        512 float32 takes 18 KB, of 512 bits 0.5625 KB.

    Example:
        >>> descriptor_bytes(n_vectors=9, dims=512, bits_per_dim=1)
        576
    """
    return n_vectors * -(-dims * bits_per_dim // _BITS_PER_BYTE)


def bytes_per_video(sizes_bytes: Collection[int], n_videos: int) -> float:
    """Mean bytes a video of files that hold ``n_videos`` videos together; 0 if they hold none.

    Args:
        sizes_bytes: size of every file of the index.
        n_videos: videos that can be searched in it.
    """
    return sum(sizes_bytes) / n_videos if n_videos else 0.0


@dataclass(frozen=True, slots=True)
class Setting:
    """A way to search an archive.

    Attributes:
        n_videos: of the archive.
        chunks: of a video.
        cells: frames of the query times frames of a video.
        share: of the videos that are re-ranked, in [0, 1].
        answers: that are wanted; those that were re-ranked get matched stretches.
    """

    n_videos: int
    chunks: float
    cells: float
    share: float
    answers: int = 10

    @property
    def n_pairs(self) -> int:
        """Videos that are re-ranked."""
        return min(self.n_videos, math.ceil(self.share * self.n_videos))


@dataclass(frozen=True, slots=True)
class SearchCost:
    """What a query costs: a fixed part, one for each video that is looked at, one for each that is re-ranked.

    Attributes:
        fixed_s: of any query.
        video_s: for a chunk of a video whose coarse score is computed and ranked.
        select_s: of a query that re-ranks anything.
        select_video_s: for a video that is looked at then, as each is judged whether it is worth it.
        list_s: of a query that looks at a shortlist.
        chunk_s: for a chunk of which only the code is looked at, in an index larger than ``whole_to``.
        pair_s: seconds for a re-ranked video of any length.
        cell_s: for a pair of a query's and a re-ranked video's frame.
        localise_s: for such a pair in an answer whose matched stretches are found.
        whole_to: videos to which an index is looked at whole.
        shortlist: videos that are compared in a larger index, if at most ``most_listed`` are re-ranked.
        most_listed: that a shortlist holds beside the videos that stand for all.
        spread: of the repeats: the range of their medians over the median, at worst.
        busy: whether other programs took the machine's time meanwhile.
    """

    fixed_s: float
    video_s: float
    select_s: float
    select_video_s: float
    list_s: float
    chunk_s: float
    pair_s: float
    cell_s: float
    localise_s: float
    whole_to: int
    shortlist: int
    most_listed: int
    spread: float
    busy: bool

    def seconds(self, setting: Setting) -> float:
        """Wall-clock seconds of a query."""
        n_pairs = setting.n_pairs
        listed = setting.n_videos > self.whole_to and n_pairs <= self.most_listed
        looked_at = self.shortlist if listed else setting.n_videos
        list_s = self.list_s + setting.n_videos * setting.chunks * self.chunk_s if listed else 0.0
        found = min(setting.answers, n_pairs)
        seconds = self.fixed_s + looked_at * setting.chunks * self.video_s + list_s
        if not n_pairs:
            return seconds
        seconds += self.select_s + looked_at * self.select_video_s
        cells_s = setting.cells * (n_pairs * self.cell_s + found * self.localise_s)
        return seconds + n_pairs * self.pair_s + cells_s

    def contradiction(self) -> str:
        """Why nothing can be computed from these timings; empty if they agree with each other."""
        negative = [
            name
            for name, value in (("a larger index", self.video_s), ("re-ranking a video", self.cell_s))
            if value <= 0
        ]
        if negative:
            return f"{' and '.join(negative)} took no longer than a smaller one or none"
        if self.spread > LARGEST_SPREAD:
            return f"the same searches took times that differ by {self.spread:.0%}"
        return ""
