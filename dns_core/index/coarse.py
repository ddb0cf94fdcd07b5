"""Coarse scores of a query against every chunk."""

import faiss
import numpy as np

from dns_core.records import Float32Array


def coarse_scores(vectors: Float32Array, queries: Float32Array) -> Float32Array:
    """``[Q, C]`` inner products of queries and chunks: cosines, as both are unit vectors.

    FAISS's flat inner product straight from the mapped file (no copy, so opening an index does not read
    it). The selector wants the coarse score of every candidate, and at 100,000 chunks a scan costs less
    than re-ranking a dozen pairs. The product of a pair is the same wherever its row lies, which a matrix
    product does not promise (nor FAISS for vectors of up to 8 numbers); so a compacted index gives the
    same scores bit for bit. In a large index `dns_core.index.nearest` says which chunks are worth it.

    Args:
        vectors: ``[C, E]`` of the index, or some of its rows.
        queries: ``[Q, E]``, one row a chunk of the query.
    """
    scores = np.empty((len(queries), len(vectors)), dtype=np.float32)
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    for query, out in zip(np.ascontiguousarray(queries, dtype=np.float32), scores, strict=True):
        faiss.fvec_inner_products_ny(  # type: ignore[attr-defined]  # SWIG adds it at import
            faiss.swig_ptr(out), faiss.swig_ptr(query), faiss.swig_ptr(rows), rows.shape[1], len(rows)
        )
    return scores
