"""From a file to an answer: decoded outside, described and searched in here, with one engine for all."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import cast

from dns_apps.service.alignment import comparison, stored_stretches
from dns_apps.service.live_index import LiveIndex, LoadedIndex
from dns_apps.service.schemas import (
    Comparison,
    FineName,
    MatchRow,
    NearMiss,
    QueryAnswer,
    QueryOptions,
    Segment,
    StoredExcerpt,
    StoredFile,
)
from dns_core.decoding.decoders import Decoders
from dns_core.decoding.offline import frame_chunks
from dns_core.features.panes import Batch
from dns_core.index import EncodedVideo
from dns_core.records import Match, VideoFeatures, VideoProbe
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.moments import Moments
from dns_core.retrieval.pictures import is_picture, search_any
from dns_core.retrieval.relation import rate_of, relations
from dns_core.video.folders import VideoFolders
from dns_core.video.photo import PHOTO
from dns_core.video.probe import StreamFacts, content_digest

_FEATURES_SHARE = 0.9
"""Of the progress of a query; how long the search takes is not known before."""

OnProgress = Callable[[float], object]
"""Is told the share in [0, 1] that is done; what it raises ends the work."""

Compared = VideoFeatures | StoredExcerpt


class QueryRunner:
    """Describes and searches.

    Args:
        live_index: what is searched.
        decoders: turn files into frames.
        folders: where the files of indexed videos are.
        compute: bounds the computations at a time.
        partial: answer without the shards that are lost; else refuse.
    """

    def __init__(
        self,
        live_index: LiveIndex,
        decoders: Decoders,
        folders: VideoFolders,
        compute: threading.Semaphore,
        *,
        partial: bool = True,
    ) -> None:
        self.live_index = live_index
        self._decoders = decoders
        self._folders = folders
        self._compute = compute
        self._partial = partial

    def features(
        self,
        loaded: LoadedIndex,
        file: Path,
        *,
        start_s: float,
        stop_s: float | None,
        on_progress: OnProgress,
    ) -> VideoFeatures:
        """Whitened regions of a stretch of a video, its times on the video's own clock.

        Decoding continues in its process while a chunk is described here; other queries run between chunks.

        Raises:
            VideoError: the video cannot be decoded within the limits.
        """
        pipeline = loaded.pipeline
        batches: list[Batch] = []
        with closing(self._decoders.frames(file, pipeline.sampling, start_s, stop_s)) as found:
            facts = cast("StreamFacts", next(found))
            length_s = min(stop_s or facts.duration_s, facts.duration_s)
            expected_s = length_s - start_s
            describer = pipeline.extractor.describer(windows=facts.codec != PHOTO)
            for chunk in frame_chunks(found):
                with self._compute:
                    batches += describer.add(chunk)
                done_s = float(chunk.times_s[-1]) - start_s
                on_progress(_FEATURES_SHARE * min(1.0, done_s / expected_s if expected_s > 0 else 1.0))
        with self._compute:
            batches += describer.finish()
            return pipeline.joined("query", batches, length_s, facts)

    def answer(
        self,
        loaded: LoadedIndex,
        file: Path,
        features: VideoFeatures,
        options: QueryOptions,
        *,
        began_s: float,
    ) -> QueryAnswer:
        """The ranked answer to described video.

        Args:
            loaded: what is searched.
            file: of the query.
            features: of the query.
            options: how.
            began_s: on `time.perf_counter`, when decoding began.

        Raises:
            RefusalError: the index was built without the fine network.
        """
        features_ms = (time.perf_counter() - began_s) * 1000
        engine = loaded.engine(options.fine)
        with self._compute:
            budget = Budget.parse(options.budget)
            found = search_any(engine, features, top_k=options.top_k, budget=budget, partial=self._partial)
        if is_picture(features):
            found = Moments(file, self._folders, self._decoders).refined(found)
        timing_ms = {"features": features_ms, **found.timing_ms}
        timing_ms["total"] = (time.perf_counter() - began_s) * 1000
        kept = [match for match in found.results if match.score >= options.threshold]
        missed = next((match for match in found.results if match.score < options.threshold), None)
        return QueryAnswer(
            matches=tuple(_rows(loaded, kept, _searched_s(features), file)),
            near_miss=NearMiss.model_validate(missed, from_attributes=True) if missed else None,
            coverage=found.coverage,
            missing_shards=found.missing_shards,
            n_videos=round(loaded.index.n_videos * found.coverage / (loaded.index.coverage or 1.0)),
            index_version=loaded.index.manifest.version,
            timing_ms=timing_ms,
        )

    def encoded(
        self, encoder: VideoEncoder, video_id: str, features: VideoFeatures, file: Path
    ) -> EncodedVideo:
        """What an index keeps of described video and its file."""
        facts = asdict(self._decoders.facts(file))
        probe = VideoProbe(video_id, n_bytes=file.stat().st_size, sha256=content_digest(file), **facts)
        with self._compute:
            return encoder.encode(replace(features, video_id=video_id), probe)

    def compared(
        self, loaded: LoadedIndex, fine: FineName, sides: tuple[Compared, Compared], max_side: int
    ) -> Comparison:
        """Two videos frame by frame.

        Args:
            loaded: has the networks and what is stored.
            fine: the network that compares.
            sides: the first is the query; each described, or a stretch of what the index holds.
            max_side: rows and columns of the matrix at most.
        """
        loaded.engine(fine)
        with self._compute:
            query, target = (
                stored_stretches(loaded, fine, side)
                if isinstance(side, StoredExcerpt)
                else loaded.engine(fine).stretches(side.window(0, 1) if is_picture(side) else side)
                for side in sides
            )
            return comparison(loaded, fine, query, target, max_side)


def _searched_s(features: VideoFeatures) -> float:
    """Seconds of the part that was searched with; 0 for a picture."""
    return max(0.0, (features.length_s or 0.0) - float(features.whole.times_s[0]))


def _rows(
    loaded: LoadedIndex, matches: Sequence[Match], query_s: float, query_file: Path
) -> Iterator[MatchRow]:
    probes = [loaded.index.probes[loaded.rows[match.video_id]] for match in matches]
    found = relations(matches, query_s, [probe.duration_s if probe else None for probe in probes])
    for rank, (match, probe, relation) in enumerate(zip(matches, probes, found, strict=True), start=1):
        yield MatchRow(
            rank=rank,
            video_id=match.video_id,
            score=match.score,
            stage=match.stage,
            segments=tuple(Segment.model_validate(s, from_attributes=True) for s in match.segments),
            relation=relation,
            rate=rate_of(match.segments),
            file=StoredFile.model_validate(probe, from_attributes=True) if probe else None,
            same_file=probe is not None and _is_file(query_file, probe),
        )


def _is_file(path: Path, probe: VideoProbe) -> bool:
    """Whether the file has the content of a probed one; files of other sizes are not read."""
    return path.stat().st_size == probe.n_bytes and content_digest(path) == probe.sha256
