"""``dns evaluate --dataset``: the paper's table for a public benchmark, and why two numbers differ."""

from pathlib import Path
from typing import Any

from dns_apps.cli.errors import complain
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.progress import command_progress
from dns_apps.text import size

ALL = "all"

# Unusable videos that are named; the report names all of them.
_SHOWN = 5

# What can make the two numbers of a cell differ; docs/parity.md has the whole list.
_REASONS = (
    "reference: last frames dropped, chunks averaged, positives that were not found leave the denominator",
    "corrected: all frames count, best chunk of a long video, the denominator never moves (docs/parity.md)",
)


def replicate_dataset(
    dataset: str,
    annotations: Path,
    features: Path,
    models: Path,
    *,
    distractors: Path | None,
    budget: str,
    out: Path | None,
    json: bool,
) -> None:
    """Evaluate a folder of networks on a public benchmark and print the table."""
    from dns_core.datasets.registry import read_dataset
    from dns_core.measurement.paper_tables.budgets import SHARES
    from dns_core.measurement.paper_tables.run import replicate
    from dns_ops.settings import load_settings

    shares = SHARES if budget == ALL else (_share(budget),)
    benchmark = read_dataset(dataset, annotations, distractors)
    report = replicate(
        benchmark,
        features,
        models,
        shares=shares,
        folder=out or Path("artifacts/evaluation") / dataset,
        progress=command_progress(),
        device=load_settings(Path.cwd()).torch_device(),
    )
    for detail in list(report["unusable"].values())[:_SHOWN]:
        complain(detail)
    if json:
        print_json(report)
        return
    _print_table(report)


def _share(budget: str) -> float:
    from dns_core.errors import ParamsError
    from dns_core.retrieval.budget import Budget

    share = Budget.parse(budget).share
    if share is None:
        raise ParamsError(f"--budget: expected all or a share such as 0.3 with --dataset, found {budget!r}")
    return share


def _print_table(report: dict[str, Any]) -> None:
    reference, corrected = report["rules"]["reference"], report["rules"]["corrected"]
    tasks = list(reference[0]["tasks"])
    columns = [column for task in tasks for column in (f">{task}", ">corrected")]
    rows = [
        (
            line["method"].replace("_", " "),
            "" if line["share"] is None else f"{line['share']:.0%}",
            *(
                _number(each["tasks"][task]["mean_average_precision"])
                for task in tasks
                for each in (line, ours)
            ),
            f"{line['seconds_per_query']:.4f}",
            size(line["bytes_per_video"]),
        )
        for line, ours in zip(reference, corrected, strict=True)
    ]
    print_table(report["benchmark"], ["method", ">re-ranked", *columns, ">s/query", ">size/video"], rows)
    print_line(
        f"coverage {report['coverage']:.1%}: {report['queries_answered']} of {report['queries']} queries and "
        f"{report['videos_compared']} of {report['videos']} videos"
        + "".join(f"; {n} {reason}" for reason, n in report["reasons"].items())
    )
    for reason in _REASONS:
        print_line(reason)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
