"""`dns evaluate --dataset`, with networks that know nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dns_core.datasets.benchmark import Benchmark, write_benchmark
from dns_core.models.checkpoints import save_network
from dns_core.models.registry import build_network
from dns_core.records import GroundTruth

Run = Callable[..., Any]


@pytest.fixture
def arguments(tmp_path: Path) -> list[object]:
    truth = GroundTruth(("q",), ("a", "b", "lost"), {"q": {"a": "P", "lost": "P"}}, {"mAP": ("P",)})
    write_benchmark(
        tmp_path / "evve.json", Benchmark("EVVE", truth, measure="trapezoid", groups={"q": "event"})
    )
    with h5py.File(tmp_path / "features.hdf5", "w") as file:
        for number, video in enumerate(("q", "a", "b")):
            file[video] = np.random.default_rng(number).standard_normal((6, 9, 64)).astype(np.float32)
    for name, architecture, config in (
        ("fine_binary.t", "fine_binary", {"dims": 64}),
        ("coarse.t", "coarse", {"dims": 64, "netvlad_clusters": 2, "netvlad_outdims": 8}),
        ("selector.t", "selector", {"dims": 64}),
    ):
        path = tmp_path / "models" / f"{name}.safetensors"
        network = build_network(architecture, config)
        save_network(path, network, architecture=architecture, config=config, provenance={})
    files = ["--annotations", tmp_path / "evve.json", "--features", tmp_path / "features.hdf5"]
    return ["--dataset", "evve", *files, "--models", tmp_path / "models", "--out", tmp_path / "out"]


def test_the_papers_table(run: Run, arguments: list[object]) -> None:
    answer = run("evaluate", *arguments, "--budget", "all")
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.count("DnS fine binary") == 21
    assert "coverage 66.7%: 1 of 1 queries and 2 of 3 videos; 1 missing" in answer.stdout
    assert "reference: " in answer.stdout
    assert "corrected: " in answer.stdout
    assert "has no features of 'lost'" in answer.stderr


def test_one_budget_as_json(run: Run, arguments: list[object]) -> None:
    answer = run("evaluate", *arguments, "--budget", "0.5", "--json")
    report = json.loads(answer.stdout)
    assert [line["share"] for line in report["rules"]["corrected"]] == [None, None, 0.5]
    assert report["rules"]["reference"][0]["tasks"]["mAP"]["by_group"].keys() == {"event"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--budget", "50ms"], "expected all or a share"),
        (["--budget", "most"], "a budget looks like"),
        (["--index", "x"], "--dataset does not go with --index"),
        (["--dataset", "fivr-5k"], "expected FIVR-5K, found EVVE"),
        (["--dataset", "nothing"], "unknown dataset 'nothing'"),
    ],
)
def test_wrong_questions_are_one_line(
    run: Run, arguments: list[object], changes: list[str], message: str
) -> None:
    answer = run("evaluate", *arguments, *changes)
    assert answer.exit_code == 2
    assert message in answer.stderr


def test_files_that_are_needed_are_named(run: Run) -> None:
    answer = run("evaluate", "--dataset", "evve")
    assert answer.exit_code == 2
    assert "expected --annotations, --features, found no --annotations, --features" in answer.stderr
    answer = run("evaluate", "--queries", "x")
    assert answer.exit_code == 2
    assert "found no --index, --ground-truth" in answer.stderr
