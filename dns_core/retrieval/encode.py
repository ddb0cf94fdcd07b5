"""What the networks of a bundle say of one video, as arrays that an index can keep."""

import numpy as np

from dns_core.errors import InputError
from dns_core.index.build import Origin
from dns_core.index.chunks import Chunking
from dns_core.index.encoded import EncodedVideo
from dns_core.index.npy_stream import AnyArray
from dns_core.records import Float32Array, Int64Array, VideoFeatures, VideoProbe
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.index_settings import FINE_NETWORKS, IndexSettings
from dns_core.retrieval.networks import ChunkNetwork
from dns_core.retrieval.scorer import FineScorer, scorer_of
from dns_core.store.fingerprints import fingerprint_bytes


class VideoEncoder:
    """Turns whitened features into what the index stores of a video.

    Args:
        bundle: the models.
        settings: of the index; the bundle's own if None.

    Raises:
        InputError: a fine network of the settings is not one that an index can serve.
    """

    def __init__(self, bundle: Bundle, settings: IndexSettings | None = None) -> None:
        settings = settings or bundle.index_settings
        fines = settings.fine_networks
        unknown = sorted(set(fines) - set(FINE_NETWORKS))
        if unknown or not fines:
            raise InputError(
                f"an index serves {', '.join(FINE_NETWORKS)}; got {', '.join(unknown) or 'none'}"
            )
        self.bundle = bundle
        self.settings = settings
        self._scorers = {fine: scorer_of(bundle.fine(fine)) for fine in fines}

    @property
    def origin(self) -> Origin:
        """What `dns_core.index.build_index` wants to know of how records were made."""
        return Origin(self.bundle.index_models(self.settings.fine_networks), self.settings.params)

    def encode(self, features: VideoFeatures, probe: VideoProbe | None = None) -> EncodedVideo:
        """The record of one video.

        Args:
            features: whitened, at least one frame.
            probe: of its file.

        Raises:
            InputError: there is no frame.
        """
        spans = frame_spans(features, self.settings.chunking)
        return EncodedVideo(
            video_id=features.video_id,
            content=content_fingerprint(features),
            times_s=features.times_s.astype(np.float64),
            spans=spans,
            coarse=chunk_vectors(self.bundle.coarse, features, spans),
            numbers={
                fine: chunk_numbers(self.bundle.selector(fine), features, spans)
                for fine in self.settings.fine_networks
            },
            frames={
                fine: stored_frames(scorer, features.regions, self.settings.merge_from)
                for fine, scorer in self._scorers.items()
            },
            probe=probe,
        )


def frame_spans(features: VideoFeatures, chunking: Chunking) -> Int64Array:
    """``[C, 2]`` the chunks of a video.

    Raises:
        InputError: it has no frame.
    """
    if not features.n_frames:
        raise InputError(f"{features.video_id} has no frame to compare")
    return chunking.pane_chunks(features.times_s)


def stored_frames(scorer: FineScorer, regions: Float32Array, merge_from: float | None) -> AnyArray:
    """``[T, R, ...]`` what an index keeps of whitened frames ``[T, R, D]``; see `IndexSettings`."""
    stored = scorer.stored(regions)
    return stored if merge_from is None else stored[_stand_ins(regions, merge_from)]


def chunk_vectors(network: ChunkNetwork, features: VideoFeatures, spans: Int64Array) -> Float32Array:
    """``[C, E]`` the coarse unit vector of each chunk."""
    return _by_chunk(network, features, spans)


def chunk_numbers(network: ChunkNetwork, features: VideoFeatures, spans: Int64Array) -> Float32Array:
    """``[C]`` the selector's number of each chunk."""
    return _by_chunk(network, features, spans)


def content_fingerprint(features: VideoFeatures) -> str:
    """Fingerprint of regions and times; the id has no part in it."""
    parts: list[AnyArray] = [features.regions, features.times_s]
    return fingerprint_bytes(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))


def _stand_ins(regions: Float32Array, merge_from: float) -> Int64Array:
    """``[T]`` the frame that each one is stored as: the first of those in a row that look like it."""
    stand_ins = np.arange(len(regions))
    first = 0
    for frame in range(1, len(regions)):
        cosines = np.einsum("rd,rd->r", regions[first], regions[frame], dtype=np.float32)
        if cosines.mean() < merge_from:
            first = frame
        stand_ins[frame] = first
    return stand_ins


def _by_chunk(network: ChunkNetwork, features: VideoFeatures, spans: Int64Array) -> Float32Array:
    rows = [network.index(features.regions[start:stop]) for start, stop in spans]
    return np.stack(rows).astype(np.float32)
