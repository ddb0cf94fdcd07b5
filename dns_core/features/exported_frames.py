"""The description of frames by an exported graph, without torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dns_core.errors import MismatchError
from dns_core.features.description import Description
from dns_core.records import Float32Array, UInt8Array
from dns_core.runtime.graph import Graph
from dns_core.similarity.threads import in_parts

BACKBONE_GRAPH = "backbone.onnx"
"""Name of the exported backbone in a bundle."""

# More at once leave the second cache: 8 % slower with 16.
_BATCH_FRAMES = 4


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
