"""A name that lies in two collections is two videos: one that is lost says nothing of the other."""

from pathlib import Path

import numpy as np
import pytest

from dns_core.data_checks.facts import corpus_facts
from dns_core.params import load_params, run_stage
from dns_core.store.feature_store import FeatureStore
from dns_core.store.quarantine import read_quarantine
from dns_core.video import write_video
from dns_core.workspace import StageContext, Workspace

ROOT = Path(__file__).resolve().parents[3]
SMALL = ["extract_features.views.strengths=[light]", "extract_features.sampling_fps=1"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """``a.mp4`` to learn from and ``a.mp4`` to search; the second cannot be decoded once it is probed."""
    found = Workspace(tmp_path)
    rng = np.random.default_rng(0)
    for collection, name in (
        ("train", "a.mp4"),
        ("database", "a.mp4"),
        ("database", "b.mp4"),
        ("queries", "q.mp4"),
    ):
        scenes = rng.integers(0, 255, (3, 6, 8, 3), dtype=np.uint8)
        frames = [np.kron(scene, np.ones((16, 16, 1), dtype=np.uint8)) for scene in scenes for _ in range(4)]
        write_video(found.videos(collection) / name, frames, fps=4.0)
    params = load_params(ROOT / "params.yaml", SMALL)
    run_stage("probe_videos", params, StageContext(found))
    (found.videos("database") / "a.mp4").write_bytes(b"no video any more")
    run_stage("extract_features", params, StageContext(found))
    return found


def test_a_video_lost_in_one_collection_is_still_used_in_another(workspace: Workspace) -> None:
    with FeatureStore.open(workspace.features("views")) as views:
        assert views.ids == ("a.mp4#0",)
    lost = {
        collection: [row.video_id for row in read_quarantine(workspace.extraction_quarantine(collection))]
        for collection in ("train", "database", "queries")
    }
    assert lost == {"train": [], "database": ["a.mp4"], "queries": []}


def test_the_status_of_a_video_is_that_of_its_own_collection(workspace: Workspace) -> None:
    assert corpus_facts(workspace, "train")["status"] == ["readable"]
    facts = corpus_facts(workspace, "database")
    assert dict(zip(facts["video"], facts["status"], strict=True)) == {
        "a.mp4": "quarantined: not_a_video",
        "b.mp4": "readable",
    }
