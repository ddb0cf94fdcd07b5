"""Evaluation of a folder of networks on a public benchmark, from its feature file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dns_core.datasets.benchmark import Benchmark
from dns_core.evaluation.benchmark import BenchmarkScorer
from dns_core.measurement.paper_tables.networks import load_networks
from dns_core.measurement.paper_tables.report import Line, RuleReport, coverage_of
from dns_core.measurement.paper_tables.score_pass import Trial
from dns_core.ports import Progress
from dns_core.records import ScoringRule
from dns_core.store.atomic import write_json
from dns_core.store.feature_store import FeatureStore

RULES: tuple[ScoringRule, ...] = ("reference", "corrected")


def replicate(  # noqa: PLR0913
    benchmark: Benchmark,
    features: Path,
    models: Path,
    *,
    shares: Sequence[float],
    folder: Path,
    progress: Progress,
    rules: Sequence[ScoringRule] = RULES,
    device: str = "cpu",
) -> dict[str, Any]:
    """The report, which ``folder``/report.json holds too: every line under every rule, and the coverage.

    Each video is read once and is in memory alone, beside the queries that are mapped from the disk. A run
    that was stopped resumes; a run of other models or features starts again.

    Args:
        benchmark: queries, database, what is right, and the authors' rules.
        features: HDF5 in the reference's layout.
        models: folder of networks, see `load_networks`.
        shares: budgets of DnS, each in [0, 1].
        folder: for scores and report.
        progress: shown over queries and videos.
        rules: ``reference``: their scores judged their way; ``corrected``: ours judged our way.
        device: torch device of the networks.

    Raises:
        InputError: no query can be used, or the networks do not fit one another.
        MissingArtefactError: there is no feature file or no network.
        CorruptArtefactError: the feature file is not whole.
    """
    scorer = BenchmarkScorer(benchmark)
    networks = [load_networks(models, rule, device) for rule in rules]
    with FeatureStore.open(features) as store:
        trial = Trial(store, networks, scorer.queries, scorer.database, folder)
        trial.run(progress)
    reports = [RuleReport(trial, scorer, each, number) for number, each in enumerate(networks)]
    content = {
        "benchmark": benchmark.name,
        "models": dict(networks[0].fingerprints),
        **coverage_of(trial),
        "rules": {report.rule: [_line_json(line) for line in report.lines(shares)] for report in reports},
    }
    write_json(folder / "report.json", content)
    return content


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "method": line.method,
        "share": line.share,
        "seconds_per_query": line.seconds_per_query,
        "bytes_per_video": line.bytes_per_video,
        "tasks": {
            task: {
                "mean_average_precision": figure.value,
                "queries": figure.n_queries,
                **({"group_mean": figure.group_mean, "by_group": figure.by_group} if figure.by_group else {}),
            }
            for task, figure in line.figures.items()
        },
    }
