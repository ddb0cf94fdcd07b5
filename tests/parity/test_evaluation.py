"""evaluation_dns_att.npz, evaluation_dns_bin.npz, metrics.json's rerank: `dns evaluate --dataset`."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from dns_apps.cli.main import app
from dns_core.datasets.benchmark import write_benchmark
from dns_core.evaluation.benchmark import BenchmarkScorer, Compared
from dns_core.measurement.paper_tables.budgets import SHARES, reranked, reranked_count, selection_order
from dns_core.measurement.paper_tables.networks import load_networks
from dns_core.measurement.paper_tables.report import RuleReport
from dns_core.measurement.paper_tables.score_pass import Trial
from dns_core.ports import SilentProgress
from dns_core.store.feature_store import FeatureStore
from tests.oracles.fivr_subset import Subset, fivr_subset, write_features
from tests.oracles.parity_rule import rule_state
from tests.oracles.reference_files import ANNOTATIONS, PARITY, WHOLE, arrays, figures

STUDENTS = {"att": "fine_attention", "bin": "fine_binary"}
# The coarse student is the default one, whose weights are by rule alone.
MODELS = {"fine_attention": "fg_att", "fine_binary": "fg_bin", "coarse": "cg_default", "selector": "selector"}
TASKS = ("DSVR", "CSVR", "ISVR")


@pytest.fixture(scope="module")
def subset() -> Subset:
    return fivr_subset(ANNOTATIONS / "fivr.pickle")


def stored_table(kind: str) -> dict[str, list[float]]:
    rows = [str(row).split("\t") for row in arrays(f"evaluation_dns_{kind}.npz")["table"]]
    return {row[0].removesuffix(":"): [float(cell) for cell in row[1:]] for row in rows[1:]}


def test_the_subset_is_the_one_that_was_evaluated(subset: Subset) -> None:
    stored = arrays("evaluation_dns_att.npz")
    assert list(subset.queries) == stored["queries"].tolist()
    assert list(subset.database) == stored["database"].tolist()
    assert sorted({*subset.queries, *subset.database} - set(subset.absent)) == stored["all_db"].tolist()


def test_reranking_at_every_share() -> None:
    given = figures("metrics.json")["rerank"]
    coarse, fine = (np.array(given[name], dtype=np.float64) for name in ("coarse", "fine"))
    columns = np.flatnonzero(given["mask"])
    for share, expected in given["out"].items():
        count = reranked_count(float(share), len(columns), "reference")
        chosen = columns[given["order"][:count]]
        # Fine similarities are stored as s / 2 + 1/2.
        np.testing.assert_allclose(reranked(coarse, 2 * fine - 1, chosen), expected, atol=1e-12)


@pytest.mark.parametrize("kind", STUDENTS)
def test_the_table_follows_from_the_scores(kind: str, subset: Subset) -> None:
    stored = arrays(f"evaluation_dns_{kind}.npz")
    videos = ~np.isin(stored["database"], subset.absent)
    columns = np.flatnonzero(videos)
    judge = BenchmarkScorer(subset.benchmark())
    found: dict[str, list[float]] = {task: [] for task in TASKS}
    for share in SHARES:
        count = reranked_count(share, len(columns), "reference")
        scores = stored["coarse"].copy()
        for row, confidences in enumerate(stored["selector_scores"]):
            chosen = columns[selection_order(confidences)[:count]]
            scores[row] = reranked(scores[row], 2 * stored["fine"][row] - 1, chosen)
        if share == 0.35:
            np.testing.assert_allclose(scores, stored["pct35"], atol=1e-6)
        compared = Compared(scores, np.ones(20, dtype=bool), videos)
        for task, figure in judge.figures(compared, "reference").items():
            assert figure.value is not None
            found[task].append(figure.value)
    for task, expected in stored_table(kind).items():
        np.testing.assert_allclose(found[task], expected, atol=6e-5)


def imported(folder: Path, run: Any) -> Path:
    """The networks, imported from their checkpoints, or from checkpoints that the rule makes."""
    for architecture, model in MODELS.items():
        file = PARITY / "weights" / f"{model}.pth"
        if not file.exists():
            file = folder.with_name(f"{model}.pth")
            built = figures("manifest.json")["models"][model]
            torch.save({"model": rule_state(built), "args": argparse.Namespace(**built["config"])}, file)
        answer = run("weights", "import", file, "--as", f"{architecture}.dns", "--out", folder)
        assert answer.exit_code == 0, answer.output
    return folder


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_dns_evaluate_reproduces_the_reference(subset: Subset, tmp_path: Path) -> None:
    n_queries, n_videos = (20, 500) if WHOLE else (3, 12)
    benchmark = subset.benchmark(n_queries, n_videos)
    write_benchmark(tmp_path / "annotations.json", benchmark)
    write_features(tmp_path / "features.hdf5", subset, n_videos)
    runner = CliRunner()

    def run(*arguments: object) -> Any:
        return runner.invoke(app, [str(argument) for argument in arguments], prog_name="dns")

    models = imported(tmp_path / "models", run)
    arguments = ["--dataset", "fivr-5k", "--annotations", tmp_path / "annotations.json", "--features"]
    arguments += [
        tmp_path / "features.hdf5",
        "--models",
        models,
        "--budget",
        "all",
        "--out",
        tmp_path / "out",
    ]
    answer = run("evaluate", *arguments, "--json")
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout)
    n_absent = sum(video in subset.absent for video in subset.database[:n_videos])
    assert report["reasons"] == {"missing": n_absent}
    assert report["coverage"] == pytest.approx((n_videos - n_absent) / n_videos)
    compare_scores(subset, tmp_path, models, n_queries, n_videos)
    if WHOLE:
        compare_tables(report)


def compare_scores(subset: Subset, tmp_path: Path, models: Path, n_queries: int, n_videos: int) -> None:
    """A finished trial that is opened again computes nothing but the queries."""
    networks = load_networks(models, "reference")
    judge = BenchmarkScorer(subset.benchmark(n_queries, n_videos))
    corrected = load_networks(models, "corrected")
    with FeatureStore.open(tmp_path / "features.hdf5") as store:
        trial = Trial(store, [networks, corrected], judge.queries, judge.database, tmp_path / "out")
        trial.run(SilentProgress())
    report = RuleReport(trial, judge, networks, 0)
    there = trial.compared
    assert there.tolist() == [video not in subset.absent for video in judge.database]
    for kind, role in STUDENTS.items():
        stored = arrays(f"evaluation_dns_{kind}.npz")
        coarse, fine, mixed = (
            stored[name][:n_queries, :n_videos][:, there] for name in ("coarse", "fine", "pct35")
        )
        confident = stored["selector_scores"][:n_queries, : int(there.sum())]
        np.testing.assert_allclose(report.scores("coarse")[:, there], coarse, atol=2e-5)
        np.testing.assert_allclose(report.scores(role)[:, there] / 2 + 0.5, fine, atol=2e-5)
        np.testing.assert_allclose(report.selector_confidences(role)[:, there], confident, atol=2e-5)
        if WHOLE:
            found = report.reranked(role, report.orders(role), 0.35)[:, there]
            np.testing.assert_allclose(found, mixed, atol=2e-5)


def compare_tables(report: dict[str, Any]) -> None:
    lines = report["rules"]["reference"]
    for kind, role in STUDENTS.items():
        found = [line["tasks"] for line in lines if line["method"] == f"DnS {role}"]
        for task, expected in stored_table(kind).items():
            values = [tasks[task]["mean_average_precision"] for tasks in found]
            # Rounding may swap two neighbours among 500.
            np.testing.assert_allclose(values, expected, atol=2e-4)
