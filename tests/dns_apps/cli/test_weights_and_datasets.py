import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
import torch

from dns_core.models.checkpoints import load_network
from dns_core.models.registry import build_network
from tests.oracles.malicious_pickle import Command
from tests.oracles.reference_files import ANNOTATIONS

Run = Callable[..., Any]


def checkpoint(path: Path, architecture: str, **config: Any) -> Path:
    torch.save({"model": build_network(architecture, config).state_dict(), "args": {}}, path)
    return path


def test_weights_go_in_and_out(run: Run, tmp_path: Path) -> None:
    file = checkpoint(tmp_path / "m.pth", "fine_binary", dims=64)
    answer = run("weights", "import", file, "--as", "fine_binary.dns", "--out", tmp_path / "w", "--json")
    assert answer.exit_code == 0, answer.output
    printed = json.loads(answer.stdout)
    loaded = load_network(tmp_path / "w" / "fine_binary.dns.safetensors", expect="fine_binary")
    assert printed["fingerprint"] == loaded.fingerprint
    assert loaded.provenance["source"] == "m.pth"
    answer = run("weights", "export", printed["file"], "--out", tmp_path / "out.pth")
    assert answer.exit_code == 0, answer.output
    answer = run(
        "weights", "import", tmp_path / "out.pth", "--as", "fine_binary.again", "--out", tmp_path / "w"
    )
    assert loaded.fingerprint in answer.stdout


def test_what_no_shape_tells_can_be_said(run: Run, tmp_path: Path) -> None:
    file = checkpoint(tmp_path / "m.pth", "teacher", dims=64)
    arguments = ["--as", "teacher.visil", "--out", tmp_path, "--config", "symmetric=true", "--config"]
    assert run("weights", "import", file, *arguments, "compatibility=reference").exit_code == 0
    config = load_network(tmp_path / "teacher.visil.safetensors").config
    assert config["symmetric"] is True
    assert config["compatibility"] == "reference"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as", "coarse"], "expected ARCHITECTURE.TAG"),
        (["--as", "coarse.../../x"], "expected ARCHITECTURE.TAG"),
        (["--as", "resnet.a"], "unknown architecture 'resnet'"),
        (["--as", "coarse.a"], "is not a coarse"),
        (["--as", "fine_binary.a", "--config", "bits"], "expected KEY=VALUE"),
        (["--as", "fine_binary.a", "--config", "bits=3"], "fine_binary has no bits"),
    ],
)
def test_wrong_imports_are_one_line_and_write_nothing(
    run: Run, tmp_path: Path, arguments: list[str], message: str
) -> None:
    file = checkpoint(tmp_path / "m.pth", "fine_binary", dims=64)
    answer = run("weights", "import", file, *arguments, "--out", tmp_path / "w")
    assert answer.exit_code == 2
    assert message in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert not (tmp_path / "w").exists()


def test_a_checkpoint_that_runs_a_command_ends_the_import(run: Run, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    torch.save({"model": {}, "args": Command(proof)}, tmp_path / "evil.pth")
    answer = run("weights", "import", tmp_path / "evil.pth", "--as", "coarse.a", "--out", tmp_path / "w")
    assert answer.exit_code == 2
    assert "refused, nothing was run" in answer.stderr
    assert not proof.exists()


def test_datasets_are_listed_and_converted(run: Run, tmp_path: Path) -> None:
    assert "svdbase.github.io" in json.loads(run("datasets", "list", "--json").stdout)["svd"]
    assert "fivr-200k-audio" in run("datasets", "list").stdout
    out = tmp_path / "evve.json"
    answer = run("datasets", "convert", "evve", ANNOTATIONS / "evve.pickle", "--out", out, "--json")
    assert json.loads(answer.stdout)["queries"] == 620
    again = run("datasets", "convert", "evve", out, "--out", tmp_path / "again.json")
    assert "EVVE: 620 queries, 2373 videos" in again.stdout
    assert (tmp_path / "again.json").read_bytes() == out.read_bytes()
    answer = run("datasets", "convert", "evve", tmp_path / "none.pickle", "--out", out)
    assert answer.exit_code == 2
    assert "published as datasets/evve.pickle" in answer.stderr


def test_features_are_written_for_the_reference(run: Run, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "in.hdf5", "w") as file:
        file["1/1_1_Y"] = torch.ones(4, 9, 8).half().numpy()
    answer = run("datasets", "features", tmp_path / "in.hdf5", "--out", tmp_path / "out.hdf5")
    assert answer.exit_code == 0, answer.output
    with h5py.File(tmp_path / "out.hdf5") as file:
        assert file["1/1_1_Y"].dtype == "float32"
