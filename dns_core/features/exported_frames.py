"""The description of frames by an exported graph, without torch."""

from pathlib import Path

import numpy as np

from dns_core.errors import MismatchError
from dns_core.features.description import Description
from dns_core.records import Float32Array, UInt8Array
from dns_core.runtime.graph import Graph

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
        starts = range(0, len(frames), _BATCH_FRAMES)
        return np.concatenate([self._graph(frames[k : k + _BATCH_FRAMES]) for k in starts])
