"""Stage ``fit_whitening``.

Reads: artifacts/features/*.hdf5.
Writes: artifacts/models/whitening.safetensors, artifacts/whitened/*.hdf5.
Params: fit_whitening.
Repeats exactly: yes, seeded.
"""

from pydantic import Field

from dns_core.features.whitening import Whitening, sample_regions
from dns_core.stages.context import COLLECTIONS, StageConfig, StageContext
from dns_core.store.feature_store import FeatureStore, FeatureWriter


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        dims: D of the whitened vectors (the paper: 512).
        sample_regions: region vectors that the covariance is estimated from.
        shrinkage: share of the mean variance added to every direction's; 0 is plain whitening.
        seed: of the sample.
    """

    dims: int = Field(ge=8)
    sample_regions: int = Field(ge=8)
    shrinkage: float = Field(ge=0)
    seed: int


def run(config: Config, context: StageContext) -> None:
    """Fit the whitening on the training videos and write every collection whitened."""
    workspace = context.workspace
    with FeatureStore.open(workspace.features("train")) as store:
        sample = sample_regions(store, store.ids, config.sample_regions, config.seed)
        whitening = Whitening.fit(sample, config.dims, shrinkage=config.shrinkage)
        metadata = {**store.metadata, "features": store.fingerprint}
    whitening.save(workspace.models / "whitening.safetensors", metadata)
    for name in (*COLLECTIONS, "views"):
        _write_whitened(name, whitening, context)


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
                writer.write(video_id, [(whitening.apply(video.regions), video.times_s)])
        writer.finish(store.ids)
