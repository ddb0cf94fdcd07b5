"""Stage ``fit_whitening``.

Reads: artifacts/features/*.hdf5 (videos, and edited copies of train).
Writes: artifacts/models/whitening.safetensors, artifacts/whitened/*.hdf5.
Params: fit_whitening.
Repeats exactly: yes, seeded.
"""

from dataclasses import replace

import numpy as np
from pydantic import Field

from dns_core.features.blank_frames import without_blank_frames
from dns_core.features.whitening import Whitening, matched_differences, sample_regions
from dns_core.records import Float32Array
from dns_core.store.feature_store import FeatureStore, FeatureWriter
from dns_core.training.batches import source_id
from dns_core.workspace import COLLECTIONS, StageConfig, StageContext


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        dims: D of the whitened vectors (the paper: 512).
        sample_regions: region vectors that the covariance is estimated from.
        copy_rounds: 0 whitens by the covariance of the sample, as the paper does; else what the edited
            copies of the training videos change is whitened, and regions are matched this many times.
        sample_differences: differences between regions and copied regions, if copies are used.
        shrinkage: share of the mean variance added to every direction's; 0 is plain whitening.
        seed: of the sample.
    """

    dims: int = Field(ge=8)
    sample_regions: int = Field(ge=8)
    copy_rounds: int = Field(ge=0)
    sample_differences: int = Field(ge=8)
    shrinkage: float = Field(ge=0)
    seed: int


def run(config: Config, context: StageContext) -> None:
    """Fit the whitening on the training videos and their copies, and write every collection whitened."""
    workspace = context.workspace
    with (
        FeatureStore.open(workspace.features("train")) as videos,
        FeatureStore.open(workspace.features("views")) as copies,
    ):
        sample = sample_regions(videos, videos.ids, config.sample_regions, config.seed)
        metadata = {**videos.metadata, "features": videos.fingerprint}
        whitening = Whitening.fit(sample, config.dims, shrinkage=config.shrinkage)
        for number in range(config.copy_rounds):
            context.progress.say(f"whitening: what copies change, round {number + 1}")
            differences = _differences(videos, copies, whitening, config)
            whitening = Whitening.fit_to_copies(sample, differences, config.dims, shrinkage=config.shrinkage)
    whitening.save(workspace.models / "whitening.safetensors", metadata)
    for name in (*COLLECTIONS, "views"):
        _write_whitened(name, whitening, context)


def _differences(
    videos: FeatureStore, copies: FeatureStore, whitening: Whitening, config: Config
) -> Float32Array:
    """``[P, D]`` about ``config.sample_differences``, of each copy as many as far as it has them."""
    rng = np.random.default_rng(config.seed)
    sources = frozenset(videos.ids)
    per_copy = -(-config.sample_differences // len(copies.ids))
    drawn = []
    for view in copies.ids:
        original, copy = videos.read(source_id(view, sources)), copies.read(view)
        same_time = np.abs(original.times_s[:, None] - copy.times_s).argmin(axis=0)
        found = matched_differences(original.regions[same_time], copy.regions, whitening)
        drawn.append(found[rng.permutation(len(found))[:per_copy]])
    return np.concatenate(drawn)


def _write_whitened(name: str, whitening: Whitening, context: StageContext) -> None:
    workspace = context.workspace
    with FeatureStore.open(workspace.features(name)) as store:
        writer = FeatureWriter(
            workspace.whitened(name),
            metadata={
                **store.metadata,
                "features": store.fingerprint,
                "whitening": whitening.fingerprint,
            },
            partial=workspace.partial(f"whitened-{name}"),
        )
        for video_id in context.progress.track(store.ids, f"whitening {name}"):
            if not writer.done(video_id):
                video = store.read(video_id)
                shown = without_blank_frames(replace(video, regions=whitening.apply(video.regions)))
                writer.write(video_id, [(shown.regions, shown.times_s)])
        writer.finish(store.ids)
