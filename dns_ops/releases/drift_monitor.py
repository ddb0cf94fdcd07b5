"""Whether new videos are like those that the champion learnt from; if not, it may find them badly."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dns_core.data_checks.drift import TrainingProfile, training_profile, video_vector
from dns_core.errors import InputError, MissingArtefactError, VideoError
from dns_core.ports import Progress
from dns_core.records import FactTable, Float32Array
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.pipeline import open_features
from dns_core.stages.validate_data import DriftLimits
from dns_core.store.atomic import read_json, write_json
from dns_core.store.feature_store import FeatureStore
from dns_core.workspace import Workspace
from dns_ops.data.versioning import record_version
from dns_ops.data.versions import diff_versions, read_version
from dns_ops.provenance import data_version
from dns_ops.quality.validator import GxValidator
from dns_ops.quality.verdict import RejectedDataError
from dns_ops.releases.release import Release, champion, find_release

_FURTHEST = 3


def monitor_drift(root: Path, limits: DriftLimits, progress: Progress) -> str:
    """One line on how the new videos drift from the training videos; empty if they do not, or there are none.

    New are the videos that the version of the data which the champion learnt from has not. The whole result
    is ``artifacts/quality/monitor.json`` and the page beside it.

    Raises:
        InputError: no bundle is in service.
        MissingArtefactError: the workspace has not what the champion learnt from.
    """
    version = champion(root)
    if not version:
        raise InputError("no bundle is in service yet; `dns models promote` puts one there")
    release = find_release(root, version)
    profile, learnt_from = _profile(root, release)
    names = _new_videos(root, learnt_from)[: limits.sample_videos]
    vectors = _described(root, release, names, progress)
    if not vectors:
        return ""
    videos = np.stack(list(vectors.values()))
    distances = profile.distances(videos)
    order = sorted(range(len(videos)), key=lambda row: -distances[row])[:_FURTHEST]
    columns: dict[str, list[object]] = {
        "videos": [len(videos)],
        "furthest": [", ".join(list(vectors)[row] for row in order)],
        "drift": [round(profile.drift(videos), 3)],
    }
    table = FactTable("drift", "new videos", columns, ("furthest",), limits.model_dump())
    try:
        GxValidator().validate([table], Workspace(root).quality("monitor"))
    except RejectedDataError as error:
        return str(error)
    return ""


def _described(
    root: Path, release: Release, names: Sequence[str], progress: Progress
) -> dict[str, Float32Array]:
    """Vector by ``collection/id`` of the videos that can be read."""
    pipeline = open_features(Bundle.load(release.models))
    vectors: dict[str, Float32Array] = {}
    for name in progress.track(names, "describing new videos"):
        collection, _, video_id = name.partition("/")
        path = Workspace(root).videos(collection) / video_id
        try:
            vectors[name] = video_vector(pipeline.features(path, video_id).whole.regions)
        except VideoError as error:
            progress.say(f"{name}: {error}")
    return vectors


def _profile(root: Path, release: Release) -> tuple[TrainingProfile, str]:
    """Profile of what the release learnt from, and the version of those data; kept beside the release."""
    kept = release.folder / "training.json"
    if not kept.is_file():
        whitening = Bundle.load(release.models).whitening.fingerprint
        with FeatureStore.open(Workspace(root).whitened("train")) as store:
            if store.metadata.get("whitening") != whitening:
                raise MissingArtefactError(
                    f"version {release.version}: the features that it learnt from are not in this workspace"
                )
            found = training_profile(store)
        write_json(kept, {"mean": found.mean, "spread": found.spread, "data": data_version(root)})
    content = read_json(kept)
    return TrainingProfile(tuple(content["mean"]), tuple(content["spread"])), str(content["data"])


def _new_videos(root: Path, learnt_from: str) -> list[str]:
    now = record_version(root)
    try:
        diff = diff_versions(read_version(root, learnt_from), now)
    except InputError:  # that version was never recorded: what came with the last one is new
        if not now.parent:
            return []
        diff = diff_versions(read_version(root, now.parent), now)
    return [*diff.added, *diff.changed]
