"""What an index keeps on disk, by what it is for: one figure, and its parts."""

from collections.abc import Iterable, Mapping

NAMES, COARSE, MOMENTS = "names", "coarse", "moments"
"""Parts of every index: ids, contents, checksums; vectors of chunks and their codes; times of frames."""

_COARSE_FILES = ("coarse.npy", "coarse.faiss", "chunk_offsets.npy")
_MOMENT_FILES = ("times_s.npy", "spans.npy", "frame_offsets.npy", "frame_rows.npy")


def storage_parts(files: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Bytes by part: `NAMES`, `COARSE`, `MOMENTS`, and each fine network by its name.

    Args:
        files: name and bytes of every file of every shard.
    """
    parts = {NAMES: 0, COARSE: 0, MOMENTS: 0}
    for name, n_bytes in files:
        part = _part(name)
        parts[part] = parts.get(part, 0) + n_bytes
    return parts


def bytes_read(parts: Mapping[str, float], fine: str | None) -> float:
    """Of the bytes by part, those that a search reads: with a fine network, or of the coarse stage."""
    wanted = {NAMES, COARSE} | ({MOMENTS, fine} if fine else set())
    return sum(n_bytes for part, n_bytes in parts.items() if part in wanted)


def _part(file: str) -> str:
    kind, _, rest = file.partition(".")
    if kind in ("frames", "numbers"):
        return rest.removesuffix(".npy")
    return COARSE if file in _COARSE_FILES else MOMENTS if file in _MOMENT_FILES else NAMES
