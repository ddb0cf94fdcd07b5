"""The description of frames by an exported graph, without torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dns_core.errors import MismatchError
from dns_core.features.description import Description
from dns_core.records import Float32Array, UInt8Array
from dns_core.runtime.graph import Graph
from dns_core.similarity.compiled import processor_has
from dns_core.similarity.threads import in_parts

BACKBONE_GRAPH = "backbone.onnx"
"""Name of the exported backbone in a bundle."""

INT8_GRAPH = "backbone.int8.onnx"
"""Name of the same in integers of 8 bits (`dns_core.features.int8_frames`), which a bundle may have too."""

# Four products of 8 bits added in one instruction, on x86 and on Arm. Without them 8 bits are no faster, and
# sums of two products may overflow.
_INT8_PRODUCTS = ("avx512vnni", "avxvnni", "dotprod")

# More at once leave the second cache: 8 % slower with 16.
_BATCH_FRAMES = 4


def frames_graph(folder: Path) -> Path:
    """The graph of a bundle that describes frames fastest here; vectors of both may be compared."""
    rounded = folder / INT8_GRAPH
    is_faster = any(processor_has(feature) for feature in _INT8_PRODUCTS)
    return rounded if is_faster and rounded.is_file() else folder / BACKBONE_GRAPH


class ExportedFrames:
    """Computes a description.

    Args:
        path: of the graph.
        description: that it was exported from.

    Raises:
        MissingArtefactError: there is no such file.
        CorruptArtefactError: it is not a graph.
        MismatchError: it computes another description.
    """

    def __init__(self, path: Path, description: Description) -> None:
        self.description = description
        self._graph = Graph(path)
        found = self._graph.metadata.get("extractor", "none")
        if found != description.fingerprint:
            raise MismatchError(f"extractor in {path}", description.fingerprint, found)

    def __call__(self, frames: UInt8Array) -> Float32Array:
        """See `dns_core.features.description.FrameNetwork`."""
        batches = [frames[k : k + _BATCH_FRAMES] for k in range(0, len(frames), _BATCH_FRAMES)]
        sizes = [len(batch) for batch in batches]
        return np.concatenate(in_parts(self._described, batches, sizes, _BATCH_FRAMES + 1))

    def _described(self, batches: Sequence[UInt8Array]) -> list[Float32Array]:
        return [self._graph(batch) for batch in batches]
