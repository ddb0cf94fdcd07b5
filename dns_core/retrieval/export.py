"""A bundle made ready to run without torch."""

import logging
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from dns_core.decoding.offline import frame_chunks, open_decoder
from dns_core.errors import MissingArtefactError, VideoError
from dns_core.features.description import Description
from dns_core.features.exported_frames import BACKBONE_GRAPH, INT8_GRAPH
from dns_core.features.int8_frames import write_int8
from dns_core.features.live_frames import LiveFrames, export_frames
from dns_core.features.registry import load_backbone
from dns_core.models.export import export_network
from dns_core.records import UInt8Array
from dns_core.retrieval.bundle import SEARCHING_ROLES, WHITENING_FILE
from dns_core.store.weights import read_weights
from dns_core.video.discover import discover_videos

_log = logging.getLogger(__name__)

_N_FRAMES = 128


def export_bundle(folder: Path, footage: Path | None = None) -> Iterator[str]:
    """Write the graphs of a bundle's networks and of its backbone; yields what is written.

    Args:
        folder: of the bundle.
        footage: videos by which the backbone is rounded to 8 bits as well; without them it is not.

    Raises:
        InputError: there is no readable video in ``footage``.
        MissingArtefactError: the whitening, which names the backbone, or its weights are not there.
    """
    _, metadata = read_weights(folder / WHITENING_FILE)
    description = Description.of(metadata)
    export_frames(folder / BACKBONE_GRAPH, LiveFrames(load_backbone(description.card.name), description))
    yield BACKBONE_GRAPH
    if footage is not None:
        write_int8(folder / BACKBONE_GRAPH, folder / INT8_GRAPH, _frames(footage, description))
        yield INT8_GRAPH
    networks = [folder / f"{role}.safetensors" for role in SEARCHING_ROLES]
    present = [path for path in networks if path.is_file()]
    if not present:
        raise MissingArtefactError(f"{folder}: expected networks, found none")
    for path in present:
        export_network(path)
        yield path.with_suffix(".onnx").name


def _frames(footage: Path, description: Description) -> UInt8Array:
    """Some frames of some videos, the same each time; files that cannot be read are passed over."""
    paths = sorted(path for _, path in discover_videos(footage))
    random.Random(0).shuffle(paths)  # noqa: S311 - no secret
    found, sampling = list[UInt8Array](), replace(description.sampling, fps=1.0)
    with closing(open_decoder()) as decoder:
        for path in paths:
            try:
                with closing(frame_chunks(decoder.frames(path, sampling, pictures=False))) as chunks:
                    frames = next(chunks).frames
                found += [frames[0], frames[len(frames) // 2]]
            except VideoError as error:
                _log.warning("%s is passed over: %s", path, error)
            if len(found) >= _N_FRAMES:
                break
    return np.array(found[:_N_FRAMES], dtype=np.uint8)
