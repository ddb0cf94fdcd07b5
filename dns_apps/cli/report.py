"""The trade-off table: what each way to search finds, and what it costs."""

from pathlib import Path

from dns_apps.cli.output import print_line, print_table
from dns_apps.text import METHOD_NAMES, size
from dns_core.evaluation.report import EvaluationReport, MethodRow
from dns_core.store.atomic import read_json


def print_report(path: Path) -> None:
    """Print the tables of a report that the stage ``evaluate`` wrote.

    Raises:
        MissingArtefactError: the pipeline has not run.
    """
    report: EvaluationReport = read_json(path)
    methods = report["methods"]
    tasks = list(methods[0]["map"])
    slowest = methods[0]
    print_table(
        f"{report['queries']} queries, {report['database']} videos, coverage {report['coverage']:.0%}",
        ["method", ">re-ranked", *(f">mAP {task}" for task in tasks), ">ms/query", ">speed", ">size/video"],
        [_row(method, tasks, slowest) for method in methods],
    )
    for fine, policies in report["selection"].items():
        areas = ", ".join(f"{policy} {curve['area']:.4f}" for policy, curve in policies.items())
        print_line(f"area under mAP by share re-ranked, {METHOD_NAMES[fine]}: {areas}")
    segments = ", ".join(f"{METHOD_NAMES[fine]} {value:.3f}" for fine, value in report["segment_f1"].items())
    print_line(f"F1 of matched segments: {segments}")


def _row(method: MethodRow, tasks: list[str], slowest: MethodRow) -> list[str]:
    seconds = method["seconds_per_query"]
    return [
        METHOD_NAMES[method["method"]],
        "" if method["budget"] is None else f"{method['budget']:.0%}",
        *(f"{method['map'][task]:.3f}" for task in tasks),
        f"{seconds * 1000:.1f}",
        f"{slowest['seconds_per_query'] / seconds:.1f}x",
        size(method["bytes_per_video"]),
    ]
