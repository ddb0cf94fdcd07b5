"""What is measured of each file and of its features before anything is learnt from them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dns_core.errors import CorruptArtefactError
from dns_core.features.description import Description
from dns_core.records import Float32Array
from dns_core.store.feature_store import FeatureStore
from dns_core.store.probes import read_probes
from dns_core.store.quarantine import read_quarantine
from dns_core.workspace import Workspace

Columns = dict[str, list[object]]

_GRACE_FRAMES = 2
"""Containers round durations, and sampling takes a frame at either end."""


def corpus_facts(workspace: Workspace, collection: str) -> Columns:
    """A row a video: video, status, duration_s, fps, sha256 (None where it could not be read)."""
    probes, refused = read_probes(workspace.probes(collection))
    undecodable = {row.video_id: row for row in read_quarantine(workspace.extraction_quarantine(collection))}
    rows: list[tuple[object, ...]] = []
    for probe in probes:
        lost = undecodable.get(probe.video_id)
        status = f"quarantined: {lost.reason}" if lost else "readable"
        rows.append((probe.video_id, status, probe.duration_s, probe.fps, probe.sha256))
    missed = [row for row in refused if row.is_video]
    rows += [(row.video_id, f"quarantined: {row.reason}", None, None, None) for row in missed]
    return _columns(("video", "status", "duration_s", "fps", "sha256"), rows)


def feature_facts(workspace: Workspace, collection: str, *, sample: int, seed: int) -> Columns:
    """A row a described video, of at most ``sample`` drawn ones; one video is in memory at a time.

    Columns: video, finite, worst_norm (the length of a region that is furthest from 1, regions without
    content aside), usual_shape (``[R, D]`` is what most have), frames_amiss (frames missing or too
    many, beyond two, as a share of those that the duration promises).
    """
    durations = {row.video_id: row.duration_s for row in read_probes(workspace.probes(collection))[0]}
    with FeatureStore.open(workspace.whitened(collection)) as store:
        fps = Description.of(store.metadata).sampling_fps
        drawn = np.random.default_rng(seed).permutation(len(store.ids))[:sample]
        measured = [_measured(store, store.ids[row]) for row in sorted(drawn)]
    shapes = Counter(row.shape for row in measured if row.shape)
    usual = shapes.most_common(1)[0][0] if shapes else ()
    rows = [
        (
            row.video_id,
            row.finite,
            row.worst_norm,
            row.shape == usual,
            _amiss(row.n_frames, durations.get(row.video_id, 0.0) * fps),
        )
        for row in measured
    ]
    return _columns(("video", "finite", "worst_norm", "usual_shape", "frames_amiss"), rows)


@dataclass(frozen=True, slots=True)
class _Measured:
    video_id: str
    n_frames: int
    shape: tuple[int, ...]
    finite: bool
    worst_norm: float


def _measured(store: FeatureStore, video_id: str) -> _Measured:
    try:
        video = store.read(video_id)
    except CorruptArtefactError:
        return _Measured(video_id, 0, (), finite=False, worst_norm=0.0)  # a row that meets nothing
    regions = video.regions
    return _Measured(
        video_id,
        video.whole.n_frames,
        regions.shape[1:],
        finite=bool(np.isfinite(regions).all()),
        worst_norm=_worst_norm(regions),
    )


def _amiss(n_frames: int, promised: float) -> float:
    return max(0.0, abs(n_frames - promised) - _GRACE_FRAMES) / max(promised, 1.0)


def _worst_norm(regions: Float32Array) -> float:
    norms = np.linalg.norm(regions, axis=-1).ravel()
    norms = norms[norms > 0]
    return float(norms[np.abs(norms - 1).argmax()]) if len(norms) else 1.0


def _columns(names: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> Columns:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
