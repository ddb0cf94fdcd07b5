"""From video files to answers: decoding, description and whitening joined with index and engine."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np

from dns_core.decoding.decoders import Decoders
from dns_core.decoding.offline import frame_chunks, open_decoder, tried
from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError
from dns_core.features.blank_frames import without_blank_frames
from dns_core.features.description import Description, FrameNetwork
from dns_core.features.exported_frames import ExportedFrames, frames_graph
from dns_core.features.extractor import Extractor
from dns_core.features.panes import Batch
from dns_core.features.whitening import Whitening
from dns_core.fleet import Fleet, LocalFleet, Place
from dns_core.index import Manifest, add_videos, build_index, open_index
from dns_core.index.pending import Pending
from dns_core.ports import Progress, SilentProgress, WeightSource
from dns_core.records import QueryResult, VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.index_settings import IndexSettings
from dns_core.retrieval.intake import Intake, NamedVideos
from dns_core.retrieval.moments import Moments
from dns_core.retrieval.pictures import is_picture, search_any
from dns_core.store.weights import read_weights
from dns_core.video.decode import Sampling
from dns_core.video.discover import discover_videos
from dns_core.video.folders import VideoFolders
from dns_core.video.photo import PHOTO
from dns_core.video.probe import StreamFacts


@dataclass(frozen=True, slots=True)
class FeaturePipeline:
    """Describes video files the way the models of a bundle expect."""

    extractor: Extractor
    whitening: Whitening
    sampling: Sampling
    decoder: Decoders = field(default_factory=open_decoder)

    def features(self, path: Path, video_id: str) -> VideoFeatures:
        """Whitened regions ``[T, R, d]`` of the sampled frames of one file.

        Args:
            path: the file.
            video_id: what the record is called.

        Raises:
            VideoError: the file is not a video that can be decoded.
        """
        return self.described(path, video_id)[0]

    def described(
        self, path: Path, video_id: str, *, pictures: bool = False
    ) -> tuple[VideoFeatures, StreamFacts]:
        """As `features`, and what the file says of itself; of a picture, if allowed, views (`photo_views`).

        Raises:
            VideoError: the file cannot be decoded, or its decoder died three times.
        """
        return tried(lambda: self._described(path, video_id, pictures=pictures))

    def query_features(self, path: Path) -> VideoFeatures:
        """As `features`, of a video or of a picture, of which the frames are views (`photo_views`).

        Raises:
            VideoError: the file is neither.
        """
        return self.described(path, str(path), pictures=True)[0]

    def _described(self, path: Path, video_id: str, *, pictures: bool) -> tuple[VideoFeatures, StreamFacts]:
        with closing(self.decoder.frames(path, self.sampling, pictures=pictures)) as found:
            facts = cast("StreamFacts", next(found))
            batches = self.extractor.describe(frame_chunks(found), windows=facts.codec != PHOTO)
            return self.joined(video_id, list(batches), facts.duration_s, facts), facts

    def joined(
        self, video_id: str, batches: Sequence[Batch], length_s: float, facts: StreamFacts
    ) -> VideoFeatures:
        """Whitened regions of described batches, of a video without its blank frames.

        Args:
            video_id: what the record is called.
            batches: regions and times of all frames, in order.
            length_s: seconds of the video, or of the stretch that is described.
            facts: of the file.
        """
        regions, times_s = zip(*batches, strict=True)
        whitened = self.whitening.apply(np.concatenate(regions))
        features = VideoFeatures(video_id, whitened, np.concatenate(times_s), length_s)
        return features if facts.codec == PHOTO else without_blank_frames(features)


def open_features(
    bundle: Bundle,
    *,
    weights: WeightSource | None = None,
    device: str = "cpu",
    place: Place | None = None,
) -> FeaturePipeline:
    """The description that the bundle's whitening was fitted on: backbone, precision and sampling.

    Args:
        bundle: the models.
        weights: where to look for the backbone's weights; where the backbone's card says if None.
        device: torch device of the backbone.
        place: says how files are decoded.

    Raises:
        MissingArtefactError: the whitening or the weights are not there.
        CorruptArtefactError: the whitening does not say what it was fitted on.
        MismatchError: extractors of this version describe frames otherwise.
    """
    path = bundle.folder / "whitening.safetensors"
    _, metadata = read_weights(path)
    try:
        description = Description.of(metadata)
    except (KeyError, ValueError) as error:
        raise CorruptArtefactError(f"{path} does not say what it was fitted on: {error!r}") from error
    extractor = Extractor(_frame_network(frames_graph(bundle.folder), description, weights, device))
    return FeaturePipeline(extractor, bundle.whitening, description.sampling, open_decoder(place))


def _frame_network(
    graph: Path, description: Description, weights: WeightSource | None, device: str
) -> FrameNetwork:
    if device == "cpu" and weights is None and graph.is_file():
        return ExportedFrames(graph, description)
    try:
        from dns_core.features.live_frames import LiveFrames
        from dns_core.features.registry import load_backbone
    except ModuleNotFoundError as error:
        raise MissingArtefactError(
            f"{graph}: expected an exported backbone, found none; "
            "pip install 'distill-and-select[train]' and `dns models export` make it"
        ) from error
    return LiveFrames(load_backbone(description.card.name, weights), description, device)


def index_videos(  # noqa: PLR0913
    videos: Path,
    out: Path,
    bundle: Bundle,
    progress: Progress | None = None,
    *,
    merge_from: float | None = None,
    fleet: Fleet | None = None,
) -> Manifest:
    """The index at ``out`` holds every readable video under ``videos``, and the others as quarantined.

    An interrupted run resumes when it is called again.

    Args:
        videos: folder of video files; ids are paths relative to it.
        out: folder of the index; one that stands there is superseded.
        bundle: the models.
        progress: shows how far it has come.
        merge_from: see `IndexSettings`; as the bundle says if None.
        fleet: describes the videos; this process if None.

    Raises:
        InputError: ``videos`` is not a folder, or holds no readable video.
    """
    settings = bundle.index_settings
    if merge_from is not None:
        settings = replace(settings, merge_from=merge_from)
    encoder = VideoEncoder(bundle, settings)
    named = discover_videos(videos)
    pending = Pending(out, encoder.origin)
    with pending as records:
        intake = Intake(records, encoder, fleet or LocalFleet())
        taken = intake.take(named, progress or SilentProgress())
        if not taken.contents:
            refused = f"{len(taken.quarantine)} refused"
            raise InputError(f"{videos}: expected videos, found none readable ({refused})")
        manifest = build_index(out, intake.records(taken), encoder.origin, quarantine=taken.quarantine)
        pending.clear()
    return manifest


def add_to_index(
    index: Path,
    videos: NamedVideos,
    bundle: Bundle,
    progress: Progress | None = None,
    fleet: Fleet | None = None,
) -> Manifest:
    """The index holds ``videos`` too; those that cannot be read join its quarantine list.

    Args:
        index: the folder of the index.
        videos: ids must be new to the index.
        bundle: the models that made the index.
        progress: shows how far it has come.
        fleet: describes the videos; this process if None.

    Raises:
        InputError: an id is already in the index.
        MismatchError: other models made the index.
        MissingArtefactError: there is no index.
    """
    known = open_index(index)
    encoder = encoder_of(known.manifest, bundle)
    twice = sorted(set(known.ids) & {video_id for video_id, _ in videos})
    if twice:
        raise InputError(f"already in the index: {', '.join(twice)}")
    pending = Pending(index, encoder.origin)
    with pending as records:
        intake = Intake(records, encoder, fleet or LocalFleet(), known)
        taken = intake.take(videos, progress or SilentProgress())
        models = encoder.origin.models
        manifest = add_videos(index, intake.records(taken), models=models, quarantine=taken.quarantine)
        pending.clear()
    return manifest


def encoder_of(manifest: Manifest, bundle: Bundle) -> VideoEncoder:
    """The encoder that makes records like those of an index.

    Raises:
        CorruptArtefactError: the index does not say how videos were encoded.
        MismatchError: other models made the index.
    """
    encoder = VideoEncoder(bundle, IndexSettings.of(manifest))
    manifest.check_models(encoder.origin.models)
    return encoder


def query_video(  # noqa: PLR0913
    engine: Engine,
    pipeline: FeaturePipeline,
    path: Path,
    *,
    top_k: int,
    budget: Budget,
    videos: Path | None = None,
) -> QueryResult:
    """The ranked answers to a video, or a picture; ``timing_ms`` has ``features`` too, as ``total`` has.

    Decoding runs beside the backbone, so that one figure, ``features``, stands for both.

    Args:
        engine: an index, opened with its models.
        pipeline: describes the file as the indexed videos were described.
        path: the query.
        top_k: answers wanted; 0 ranks the whole index.
        budget: how much re-ranking to do.
        videos: the folder that was indexed; the moment that a picture shows is looked up in its files.

    Raises:
        VideoError: the file is neither a video nor a picture that can be decoded.
    """
    started = time.perf_counter()
    features = pipeline.query_features(path)
    features_ms = (time.perf_counter() - started) * 1000
    result = search_any(engine, features, top_k=top_k, budget=budget)
    if videos is not None and is_picture(features):
        result = Moments(path, VideoFolders([videos]), pipeline.decoder).refined(result)
    timing_ms = {"features": features_ms, **result.timing_ms}
    timing_ms["total"] = features_ms + result.timing_ms["total"]
    return replace(result, timing_ms=timing_ms)
