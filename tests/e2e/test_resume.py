"""A stage that is killed and started again ends with the same bytes as one that never was."""

import shutil
import signal
from pathlib import Path
from typing import Any

from dns_core.params import load_params, run_stage
from dns_core.workspace import StageContext, Workspace

# Given by the fixtures of conftest.py.
DnsProcess = Any
Interrupt = Any

EPOCHS = [
    "train_student.fine_binary.optimisation.epochs=40",
    "train_student.fine_binary.optimisation.patience=40",
]


def parts(workspace: Path, name: str) -> int:
    """How many videos an extraction that is not finished has described."""
    return len(list((workspace / "artifacts" / ".partial" / f"features-{name}").glob("*/*.json")))


def test_extraction_killed_twice_gives_the_same_files(
    finished: Path, fresh_workspace: Path, interrupted: Interrupt, dns_process: DnsProcess
) -> None:
    shutil.copytree(finished / "artifacts" / "probes", fresh_workspace / "artifacts" / "probes")
    command = [fresh_workspace, "stage", "extract_features"]
    features = fresh_workspace / "artifacts" / "features"
    for name in ("train", "views"):
        code, _ = interrupted(
            *command, when=lambda name=name: parts(fresh_workspace, name) >= 3, number=signal.SIGKILL
        )
        assert code == -signal.SIGKILL
        assert parts(fresh_workspace, name) >= 3
        assert not (features / f"{name}.hdf5").exists()
    dns_process(*command)
    expected = contents(finished / "artifacts" / "features")
    found = contents(features)
    assert found.keys() == expected.keys()
    assert [path for path in expected if found[path] != expected[path]] == []


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_training_killed_gives_the_same_weights(
    workspace_copy: Path, tmp_path: Path, interrupted: Interrupt, dns_process: DnsProcess
) -> None:
    (workspace_copy / "artifacts" / "models" / "fine_binary.safetensors").unlink()
    killed = tmp_path / "killed"
    shutil.copytree(workspace_copy, killed, symlinks=True)
    params = load_params(workspace_copy / "params.yaml", EPOCHS)
    run_stage("train_student", params, StageContext(Workspace(workspace_copy), item="fine_binary"))

    overrides = [argument for epochs in EPOCHS for argument in ("--set", epochs)]
    command = [killed, "stage", "train_student@fine_binary", *overrides]
    checkpoint = killed / "artifacts" / ".partial" / "fine_binary.checkpoint"
    code, _ = interrupted(*command, when=checkpoint.exists, number=signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert checkpoint.exists()
    assert not (killed / "artifacts" / "models" / "fine_binary.safetensors").exists()
    assert "fine_binary: resumed after epoch" in dns_process(*command)
    assert not checkpoint.exists()
    for output in ("models/fine_binary.safetensors", "training/fine_binary.json"):
        whole = (workspace_copy / "artifacts" / output).read_bytes()
        assert (killed / "artifacts" / output).read_bytes() == whole, output
