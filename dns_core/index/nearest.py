"""The chunks nearest to a query, without reading every vector.

Beside the vectors of a shard of many chunks stand short codes of them, a sixteenth of their size: enough to
tell some thousand near ones from a million. Their cosines are then computed from the vectors themselves.

Reference: product quantisation, Jegou et al., PAMI 2011, with codes of 4 bits that are scanned in registers,
Andre et al., Quicker ADC, PAMI 2021; as FAISS has it. docs/performance.md says what else was measured.
"""

from pathlib import Path

import faiss
import numpy as np

from dns_core.errors import CorruptArtefactError
from dns_core.records import Float32Array, Int64Array

FILE = "coarse.faiss"
# Fewer are compared in the time that a search takes anyway.
LEAST_CHUNKS = 50_000
_SAMPLE = 50_000
_BLOCK = 1 << 16


def write_codes(path: Path, vectors: Float32Array, *, sample: int = _SAMPLE) -> None:
    """Write codes of unit vectors ``[C, E]``, E even, to ``path``: 4 bits for each two numbers of a vector.

    Memory holds the codes and a sample of the vectors. Equal vectors give equal files on one machine and
    number of threads.

    Args:
        path: of the file.
        vectors: of all chunks.
        sample: about so many of them decide how numbers are coded.
    """
    n_dims = vectors.shape[1]
    # Turned at random, as every pair of numbers gets the same few bits, for any variance.
    codes = faiss.index_factory(n_dims, f"RR{n_dims},PQ{n_dims // 2}x4fs", faiss.METRIC_INNER_PRODUCT)
    codes.train(np.ascontiguousarray(vectors[:: max(1, len(vectors) // sample)]))
    for start in range(0, len(vectors), _BLOCK):
        codes.add(np.ascontiguousarray(vectors[start : start + _BLOCK]))
    faiss.write_index(codes, str(path))


class ChunkCodes:
    """What `write_codes` wrote.

    Args:
        path: of the file, which is mapped.

    Raises:
        CorruptArtefactError: the file is not what was written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._codes = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise CorruptArtefactError(f"{path} is damaged; build the index again: {error}") from error

    def nearest(self, queries: Float32Array, count: int) -> Int64Array:
        """Rows of about the ``count`` chunks nearest to each of the queries ``[Q, E]``, increasing."""
        _, rows = self._codes.search(np.ascontiguousarray(queries, dtype=np.float32), count)
        return np.unique(rows[rows >= 0]).astype(np.int64)
