"""Stage ``build_index``.

Reads: the bundle, artifacts/whitened/database.hdf5, quarantine lists of the database.
Writes: artifacts/index.
Params: build_index.
Repeats exactly: yes.
"""

from collections.abc import Iterator

from pydantic import Field

from dns_core.index.build import build_index
from dns_core.index.chunks import Chunking
from dns_core.index.encoded import EncodedVideo
from dns_core.records import Quarantined
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.stages.context import StageConfig, StageContext, Workspace
from dns_core.stages.probe_videos import read_probes
from dns_core.store.feature_store import FeatureStore
from dns_core.store.quarantine import read_quarantine


class Config(StageConfig):
    """Settings of the stage: see `Chunking` and `VideoEncoder`."""

    chunk_frames: int = Field(ge=4)
    overlap_frames: int = Field(ge=0)
    merge_from: float | None = Field(ge=0, le=1)


def run(config: Config, context: StageContext) -> None:
    """Index the database with every fine student, so that either can serve."""
    workspace = context.workspace
    bundle = Bundle.load(workspace.models, device=context.device)
    chunking = Chunking(config.chunk_frames, config.overlap_frames)
    encoder = VideoEncoder(bundle, chunking=chunking, merge_from=config.merge_from)
    probes = {probe.video_id: probe for probe in read_probes(workspace.probes("database"))[0]}
    with FeatureStore.open(workspace.whitened("database")) as store:

        def records() -> Iterator[EncodedVideo]:
            for video_id in context.progress.track(store.ids, "indexing", len(store.ids)):
                yield encoder.encode(store.read(video_id), probes.get(video_id))

        manifest = build_index(
            workspace.index, records(), encoder.origin, quarantine=_quarantined(workspace, set(store.ids))
        )
    n_videos = sum(shard.n_videos for shard in manifest.shards)
    context.progress.say(f"{n_videos} videos indexed, {len(manifest.quarantine)} quarantined")


def _quarantined(workspace: Workspace, indexed: set[str]) -> list[Quarantined]:
    """Videos of the database that did not get as far as the index, each once."""
    probes, refused = read_probes(workspace.probes("database"))
    lost = {probe.video_id for probe in probes} - indexed
    undecodable = read_quarantine(workspace.extraction_quarantine)
    return [*refused, *(row for row in undecodable if row.video_id in lost)]
