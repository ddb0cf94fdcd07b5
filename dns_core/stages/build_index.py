"""Stage ``build_index``.

Reads: the bundle, artifacts/whitened/database.hdf5, quarantine lists of the database.
Writes: artifacts/index.
Params: build_index.
Repeats exactly: yes.
"""

from collections.abc import Iterator

from dns_core.index.build import build_index
from dns_core.index.encoded import EncodedVideo
from dns_core.records import Quarantined
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.store.feature_store import FeatureStore
from dns_core.store.probes import read_probes
from dns_core.store.quarantine import read_quarantine
from dns_core.workspace import StageConfig, StageContext, Workspace


class Config(StageConfig):
    """No settings: the bundle says how its indices are made."""


def run(config: Config, context: StageContext) -> None:  # noqa: ARG001 - every stage is given its settings
    """Index the database with every fine student, so that either can serve."""
    workspace = context.workspace
    bundle = Bundle.load(workspace.models, device=context.device)
    encoder = VideoEncoder(bundle)
    probes = {probe.video_id: probe for probe in read_probes(workspace.probes("database"))[0]}
    with FeatureStore.open(workspace.whitened("database")) as store:

        def records() -> Iterator[EncodedVideo]:
            for video_id in context.progress.track(store.ids, "indexing", len(store.ids)):
                yield encoder.encode(store.read(video_id), probes.get(video_id))

        manifest = build_index(workspace.index, records(), encoder.origin, quarantine=_quarantined(workspace))
    n_videos = sum(shard.n_videos for shard in manifest.shards)
    context.progress.say(f"{n_videos} videos indexed, {len(manifest.quarantine)} quarantined")


def _quarantined(workspace: Workspace) -> list[Quarantined]:
    """Videos of the database that could not be probed, then those that could not be decoded."""
    _, refused = read_probes(workspace.probes("database"))
    return [*refused, *read_quarantine(workspace.extraction_quarantine("database"))]
