"""A bundle made ready to run without torch."""

from collections.abc import Iterator
from pathlib import Path

from dns_core.errors import MissingArtefactError
from dns_core.features.description import Description
from dns_core.features.exported_frames import BACKBONE_GRAPH
from dns_core.features.live_frames import LiveFrames, export_frames
from dns_core.features.registry import load_backbone
from dns_core.models.export import export_network
from dns_core.retrieval.bundle import SEARCHING_ROLES, WHITENING_FILE
from dns_core.store.weights import read_weights


def export_bundle(folder: Path) -> Iterator[str]:
    """Write the graphs of a bundle's networks and of its backbone; yields what is written.

    Raises:
        MissingArtefactError: the whitening, which names the backbone, or its weights are not there.
    """
    _, metadata = read_weights(folder / WHITENING_FILE)
    description = Description.of(metadata)
    export_frames(folder / BACKBONE_GRAPH, LiveFrames(load_backbone(description.card.name), description))
    yield BACKBONE_GRAPH
    networks = [folder / f"{role}.safetensors" for role in SEARCHING_ROLES]
    present = [path for path in networks if path.is_file()]
    if not present:
        raise MissingArtefactError(f"{folder}: expected networks, found none")
    for path in present:
        export_network(path)
        yield path.with_suffix(".onnx").name
