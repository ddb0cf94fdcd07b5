"""Stage ``extract_features``.

Reads: artifacts/probes/COLLECTION.json and the videos that they list.
Writes: artifacts/features/COLLECTION.hdf5, artifacts/features/views.hdf5 (edited copies of train), and
    artifacts/features/quarantine/COLLECTION.json (videos that probed well and then failed to decode).
Params: extract_features.
Repeats exactly: yes on one machine; an interrupted run resumes with the video that was interrupted.
"""

import numpy as np
from pydantic import Field

from dns_core.errors import VideoError
from dns_core.features.extractor import Extractor, Frame
from dns_core.features.prefetch import prefetched
from dns_core.features.registry import load_backbone
from dns_core.ports import Progress
from dns_core.precision import Precision
from dns_core.records import Quarantined, VideoProbe
from dns_core.stages.context import COLLECTIONS, StageConfig, StageContext, Workspace
from dns_core.stages.probe_videos import read_probes
from dns_core.store.feature_store import FeatureWriter
from dns_core.store.fingerprints import fingerprint_json
from dns_core.store.quarantine import write_quarantine
from dns_core.training.batches import view_id
from dns_core.training.views import ViewsConfig, edited_views


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        backbone: a name in the registry of backbones.
        sampling_fps: frames a second that are described.
        batch_frames: frames a forward pass.
        precision: of the backbone's arithmetic.
        frame: ``whole``, or the ``centre`` square as in the paper.
        luma_weight: of each region's pattern of brightness beside the backbone's vector; 0 is the paper's.
        views: the edited copies that the teacher learns from.
        seed: of the edits.
    """

    backbone: str
    sampling_fps: float = Field(gt=0)
    batch_frames: int = Field(ge=1)
    precision: Precision
    frame: Frame
    luma_weight: float = Field(ge=0)
    views: ViewsConfig
    seed: int


def run(config: Config, context: StageContext) -> None:
    """Describe every readable video, and every edited copy of the training videos."""
    extractor = Extractor(
        load_backbone(config.backbone),
        batch_frames=config.batch_frames,
        device=context.device,
        precision=config.precision,
        frame=config.frame,
        luma_weight=config.luma_weight,
    )
    quarantined: dict[str, list[Quarantined]] = {}
    for collection in COLLECTIONS:
        job = _Job(config, context.workspace, extractor, collection)
        quarantined[collection] = job.describe(context.progress)
    lost = {row.video_id for row in quarantined["train"]}
    _Job(config, context.workspace, extractor, "train").describe_views(lost, context.progress)
    for collection, rows in quarantined.items():
        for row in rows:
            context.progress.say(f"  quarantined {collection} {row.video_id!r}: {row.reason}: {row.detail}")
        write_quarantine(context.workspace.extraction_quarantine(collection), rows)


class _Job:
    """The extraction of one collection."""

    def __init__(self, config: Config, workspace: Workspace, extractor: Extractor, collection: str) -> None:
        self._config = config
        self._workspace = workspace
        self._extractor = extractor
        self._collection = collection
        self._probes, _ = read_probes(workspace.probes(collection))
        self._sampling = extractor.sampling(config.sampling_fps)

    def describe(self, progress: Progress) -> list[Quarantined]:
        """Write the features of the videos; returns those that could not be decoded."""
        writer = self._writer(self._collection, {})
        quarantined = []
        for probe in progress.track(self._probes, f"features of {self._collection}"):
            if writer.done(probe.video_id, source=probe.sha256):
                continue
            path = self._workspace.videos(self._collection) / probe.video_id
            try:
                chunks = self._extractor.stream(path, self._sampling)
                writer.write(probe.video_id, chunks, source=probe.sha256)
            except VideoError as error:
                quarantined.append(Quarantined(probe.video_id, error.reason, error.detail))
        lost = {row.video_id for row in quarantined}
        writer.finish([probe.video_id for probe in self._probes if probe.video_id not in lost])
        return quarantined

    def describe_views(self, lost: set[str], progress: Progress) -> None:
        """Write the features of edited copies of the videos that are not ``lost``."""
        settings = {
            "views": fingerprint_json(self._config.views.model_dump()),
            "seed": str(self._config.seed),
        }
        writer = self._writer("views", settings)
        probes = [probe for probe in self._probes if probe.video_id not in lost]
        names = [
            view_id(probe.video_id, number)
            for probe in probes
            for number in range(len(self._config.views.strengths))
        ]
        for probe in progress.track(probes, "features of edited copies"):
            self._write_views(writer, probe)
        writer.finish(names)

    def _write_views(self, writer: FeatureWriter, probe: VideoProbe) -> None:
        names = [view_id(probe.video_id, number) for number in range(len(self._config.views.strengths))]
        if all(writer.done(name, source=probe.sha256) for name in names):
            return
        path = self._workspace.videos(self._collection) / probe.video_id
        # Each video has draws of its own, so that a resumed run draws the same.
        rng = np.random.default_rng([self._config.seed, int(probe.sha256[:12], 16)])
        # The next copy is edited while the network looks at this one.
        with prefetched(edited_views(path, self._sampling, self._config.views, rng), 1) as views:
            for name, view in zip(names, views, strict=True):
                regions = self._extractor.frames_to_regions(view.frames)
                writer.write(name, [(regions, view.times_s)], source=probe.sha256)

    def _writer(self, name: str, settings: dict[str, str]) -> FeatureWriter:
        metadata = {
            **self._extractor.description,
            "sampling_fps": repr(self._config.sampling_fps),
            **settings,
        }
        return FeatureWriter(
            self._workspace.features(name),
            metadata=metadata,
            partial=self._workspace.partial(f"features-{name}"),
        )
