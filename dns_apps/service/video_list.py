"""Which videos of the index a list shows: filters, orders, and what is alike."""

from collections.abc import Callable

from dns_apps.service.live_index import LoadedIndex
from dns_apps.service.schemas import Order, VideosAsked
from dns_core.retrieval.shards import LIMITS

Listed = list[tuple[str, float | None]]


def listed_videos(loaded: LoadedIndex, asked: VideosAsked) -> Listed:
    """Ids in the order that is asked for, each with its similarity to the video that is asked for.

    Raises:
        RefusalError: the index holds no video ``similar_to`` (404).
    """
    found: Listed
    if asked.similar_to:
        found = _alike(loaded, asked.similar_to)
    else:
        found = [(video_id, None) for video_id in loaded.sorted_ids]
        if asked.order != "name":
            key = _ORDERS[asked.order]
            found.sort(key=lambda row: -key(loaded, loaded.rows[row[0]]))  # stable: ties stay by id
    return [row for row in found if _is_wanted(loaded, row[0], asked)]


def _alike(loaded: LoadedIndex, video_id: str) -> Listed:
    """All videos but one, the most alike first, by the coarse vectors; of a large index a shortlist."""
    row = loaded.row(video_id)
    engine = next(iter(loaded.engines.values()))
    large = loaded.index.n_videos > LIMITS.large_index
    seen = engine.candidates_of(loaded.index.record(row), shortlisted=large)
    scores = {other: float(score) for other, score in zip(seen.ids, seen.scores, strict=True)}
    del scores[video_id]
    return [(other, scores[other]) for other in sorted(scores, key=lambda other: (-scores[other], other))]


def _is_wanted(loaded: LoadedIndex, video_id: str, asked: VideosAsked) -> bool:
    if asked.search not in video_id:
        return False
    row = loaded.rows[video_id]
    if asked.version and loaded.index.row_versions[row] != asked.version:
        return False
    n_bytes, height_px = _n_bytes(loaded, row), _height_px(loaded, row)
    if n_bytes < asked.smallest_bytes or height_px < asked.smallest_px:
        return False
    if not asked.shortest_s and asked.longest_s is None:
        return True  # the length of a video without facts is in its record
    length_s = _length_s(loaded, row)
    return asked.shortest_s <= length_s and (asked.longest_s is None or length_s <= asked.longest_s)


def _length_s(loaded: LoadedIndex, row: int) -> float:
    probe = loaded.index.probes[row]
    return probe.duration_s if probe else float(loaded.index.record(row).times_s.max())


def _n_bytes(loaded: LoadedIndex, row: int) -> float:
    probe = loaded.index.probes[row]
    return probe.n_bytes if probe else 0


def _height_px(loaded: LoadedIndex, row: int) -> int:
    probe = loaded.index.probes[row]
    return probe.height_px if probe else 0


def _version(loaded: LoadedIndex, row: int) -> float:
    return float(loaded.index.row_versions[row])


_ORDERS: dict[Order, Callable[[LoadedIndex, int], float]] = {
    "newest": _version,
    "longest": _length_s,
    "largest": _n_bytes,
}
