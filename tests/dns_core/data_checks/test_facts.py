"""What the data checks read of features."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from dns_core.data_checks.facts import feature_facts
from dns_core.features.cards import BACKBONES
from dns_core.features.description import Description
from dns_core.records import VideoProbe
from dns_core.store.atomic import write_json
from dns_core.store.feature_store import FeatureWriter
from dns_core.workspace import Workspace


def test_windows_are_no_frames_too_many(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    probe = VideoProbe("a.mp4", 10.0, 25.0, 320, 180, "h264", 0, 1000, "00")
    write_json(workspace.probes("database"), {"videos": [asdict(probe)], "quarantine": []})
    metadata = Description(BACKBONES["efficientnet_lite0.imagenet1k"], sampling_fps=2.0).metadata
    partial = tmp_path / "partial"
    writer = FeatureWriter(workspace.whitened("database"), metadata=metadata, partial=partial)
    regions = np.ones((20, 9, 1), dtype=np.float32)
    whole = (regions, np.arange(20) / 2)
    for window in ([], [whole, whole]):
        writer.write("a.mp4", [whole, *window])
        writer.finish(["a.mp4"])
        facts = feature_facts(workspace, "database", sample=10, seed=1)
        assert facts["frames_amiss"] == [0.0]
