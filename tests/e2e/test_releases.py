"""Bundles in service: a worsened one is refused, a good one promoted, rolled back, kept up to the videos."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from dns_core.errors import CorruptArtefactError
from dns_core.evaluation.gates import GateLimits
from dns_core.index import open_index, verify_index
from dns_core.models.checkpoints import load_network, save_network
from dns_core.models.export import export_network
from dns_core.ports import SilentProgress
from dns_core.stages.validate_data import DriftLimits
from dns_core.video.encode import write_video
from dns_ops.data.ingest import ingest_videos, remove_videos
from dns_ops.data.versioning import record_version
from dns_ops.data.versions import diff_versions, read_version
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.releases.build import make_release
from dns_ops.releases.decisions import RefusedError, Request, promotions
from dns_ops.releases.drift_monitor import monitor_drift
from dns_ops.releases.promotion import promote, rollback
from dns_ops.releases.refresh import refresh_index
from dns_ops.releases.registry import register_bundle
from dns_ops.releases.release import champion, find_release
from dns_ops.settings import Settings
from dns_ops.tracking.store import Tracking, open_tracking

LIMITS = GateLimits(budget=0.5, map_tolerance=0.01, p95_query_s=600, bytes_per_video=10_000_000)
SILENT = SilentProgress()


class Said(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(scope="session")
def released(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished workspace with videos of its own, whose bundle is in service; tests must not change it."""
    root = tmp_path_factory.mktemp("released") / "workspace"
    shutil.copytree(finished, root)
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (root / "dvc.yaml").write_text("stages: {}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DNS_TRACKING_URI", raising=False)
        tracking = open_tracking(root, Settings())
        assert register(root, tracking, noise=0.0) == 1
        promote(root, tracking, Request(who="ann"), LIMITS, SILENT)
    return root


@pytest.fixture
def workspace(released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that a test may change."""
    root = tmp_path / "workspace"
    shutil.copytree(released, root, symlinks=True)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.delenv("DNS_TRACKING_URI", raising=False)
    return root


@pytest.fixture
def tracking(workspace: Path) -> Tracking:
    """Where its runs and bundles are recorded."""
    return open_tracking(workspace, Settings())


def register(root: Path, tracking: Tracking, *, noise: float) -> int:
    """Version of the workspace's bundle with noise of so many standard deviations on its weights."""
    models = root / f"noise-{noise}"
    shutil.copytree(root / "artifacts" / "models", models)
    generator = torch.Generator().manual_seed(0)
    for name in ("coarse", "fine_attention", "fine_binary"):
        loaded = load_network(models / f"{name}.safetensors")
        with torch.no_grad():
            for weights in loaded.network.parameters():
                drawn = torch.randn(weights.shape, generator=generator)
                weights.add_(noise * weights.std(correction=0) * drawn)
        save_network(
            models / f"{name}.safetensors",
            loaded.network,
            architecture=loaded.architecture,
            config=loaded.config,
            provenance=loaded.provenance,
        )
        export_network(models / f"{name}.safetensors")
    with reproduction(root, Settings(), {}) as run_id:
        return register_bundle(root, models, tracking, run_id).version


def take_in(folder: Path, names: list[str], scratch: Path) -> None:
    """Videos of noise, which are like no others, come into a collection."""
    for number, name in enumerate(names):
        frames = np.random.default_rng(number).integers(0, 256, (20, 96, 96, 3), dtype=np.uint8)
        write_video(scratch / name, frames, 5.0)
        assert ingest_videos([(name, scratch / name)], folder)[0].outcome == "added"


def in_service(root: Path) -> tuple[int, str]:
    """Version, and the coarse network that made the index."""
    version = champion(root)
    return version, open_index(find_release(root, version).index).manifest.models["coarse"]


@pytest.mark.slow
def test_a_worsened_bundle_is_refused_a_good_one_promoted_and_the_former_restored(
    workspace: Path, tracking: Tracking
) -> None:
    before = in_service(workspace)
    first = before[0]
    worse = register(workspace, tracking, noise=10.0)
    with pytest.raises(RefusedError, match=rf"version {worse} is not promoted: mAP .*: expected at least"):
        promote(workspace, tracking, Request(who="ann"), LIMITS, SILENT)
    assert in_service(workspace) == before

    good = register(workspace, tracking, noise=1e-6)
    promote(workspace, tracking, Request(who="bob"), LIMITS, SILENT)
    version, made_by = in_service(workspace)
    assert (version, made_by != before[1]) == (good, True)

    assert rollback(workspace, tracking, "bob", "to see it") == first
    assert in_service(workspace) == before
    rows = [(row["action"], row["version"], row["after"]) for row in promotions(workspace)]
    assert rows == [
        ("promoted", first, first),
        ("refused", worse, first),
        ("promoted", good, good),
        ("rolled back", first, first),
    ]


@pytest.mark.slow
def test_models_that_are_not_those_registered_are_neither_promoted_nor_restored(
    workspace: Path, tracking: Tracking
) -> None:
    first = champion(workspace)
    good = register(workspace, tracking, noise=1e-6)
    promote(workspace, tracking, Request(who="bob"), LIMITS, SILENT)
    altered = find_release(workspace, first).models / "calibration.json"
    whole = altered.read_bytes()
    altered.write_bytes(whole + b" ")
    with pytest.raises(RefusedError, match=rf"version {first} is not restored: bundle: expected models of"):
        rollback(workspace, tracking, "bob")
    for reason in ("", "in a hurry"):
        with pytest.raises(RefusedError, match=r"not promoted: bundle: expected models of digest"):
            promote(workspace, tracking, Request(who="bob", version=first, reason=reason), LIMITS, SILENT)
    assert champion(workspace) == good
    altered.write_bytes(whole)
    assert rollback(workspace, tracking, "bob") == first


@pytest.mark.slow
def test_a_damaged_index_is_not_copied_into_a_release_nor_refreshed(
    workspace: Path, tracking: Tracking
) -> None:
    damaged = [
        next((folder / "index" / "versions").rglob("coarse.npy"))
        for folder in (workspace / "artifacts", find_release(workspace, champion(workspace)).folder)
    ]
    for file in damaged:
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    said = Said()
    version = champion(workspace)
    shutil.rmtree(find_release(workspace, version).folder)
    verify_index(make_release(workspace, tracking, version, said).index)
    assert any("the workspace's index is not copied" in line for line in said.lines)

    shutil.rmtree(find_release(workspace, version).index)
    shutil.copytree(workspace / "artifacts" / "index", find_release(workspace, version).index)
    remove_videos(
        workspace / "data" / "test" / "database", open_index(workspace / "artifacts" / "index").ids[:1]
    )
    with pytest.raises(CorruptArtefactError, match=r"coarse\.npy"):
        refresh_index(workspace, SILENT)


@pytest.mark.slow
def test_the_index_in_service_follows_the_videos_and_describes_only_what_is_new(
    workspace: Path, tmp_path: Path
) -> None:
    index = find_release(workspace, champion(workspace)).index
    shown = open_index(index).ids
    refresh_index(workspace, SILENT)
    before = record_version(workspace)

    database = workspace / "data" / "test" / "database"
    take_in(database, ["new-0.mp4", "new-1.mp4"], tmp_path)
    remove_videos(database, shown[:1])
    done = refresh_index(workspace, SILENT)
    assert (done.added, done.removed) == (("new-0.mp4", "new-1.mp4"), shown[:1])
    assert open_index(index).ids == tuple(sorted([*shown[1:], *done.added]))
    diff = diff_versions(before, read_version(workspace, done.version))
    assert (diff.added, diff.removed, diff.changed) == (
        ("database/new-0.mp4", "database/new-1.mp4"),
        (f"database/{shown[0]}",),
        (),
    )
    again = refresh_index(workspace, SILENT)
    assert (again.added, again.removed, again.version) == ((), (), done.version)


@pytest.mark.slow
def test_new_videos_of_another_kind_are_noticed_and_none_are_no_drift(
    workspace: Path, tmp_path: Path
) -> None:
    record_version(workspace)
    limits = DriftLimits(drift=2.5, sample_videos=10)
    assert monitor_drift(workspace, limits, SILENT) == ""

    take_in(workspace / "data" / "train", ["noise-0.mp4", "noise-1.mp4", "noise-2.mp4"], tmp_path)
    complaint = monitor_drift(workspace, limits, SILENT)
    assert "noise-" in complaint
    assert (workspace / "artifacts" / "quality" / "monitor.html").is_file()
    assert monitor_drift(workspace, limits.model_copy(update={"drift": 1000.0}), SILENT) == ""
