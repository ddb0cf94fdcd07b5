"""How many bytes an indexed video takes."""

from collections.abc import Collection

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
