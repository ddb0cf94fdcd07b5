"""``dns benchmark``: make a labelled benchmark of your own videos, and judge every method on it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dns_apps.cli.options import Json
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.progress import command_progress

app = typer.Typer(no_args_is_help=True, help="Measure how well videos like yours are found.")

_STRENGTHS = ("light", "medium", "strong")


@app.command()
def make(
    *,
    videos: Annotated[Path, typer.Option(metavar="DIR", help="Folders of videos, one a source.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Workspace to write data/ into.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same queries.")] = 1,
    split_seed: Annotated[int, typer.Option(help="Draws the sources that are held out.")] = 1,
    test_share: Annotated[float, typer.Option(min=0.05, max=0.95, help="Share of videos held out.")] = 0.5,
    queries_per_edit: Annotated[int, typer.Option(min=1, help="Queries of each edit and strength.")] = 4,
    largest_source: Annotated[int, typer.Option(min=1, help="Most videos of one source used.")] = 24,
) -> None:
    """Split folders of videos into training and test sources, and make edited copies as queries."""
    from dns_core.measurement.own_benchmark.make import BenchmarkConfig, make_benchmark

    config = BenchmarkConfig(seed, split_seed, test_share, queries_per_edit, largest_source)
    make_benchmark(videos, out, config, command_progress())


@app.command()
def run(
    workspaces: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR]...", help="Trained workspaces, one a seed; this one if not given."),
    ] = None,
    peers: Annotated[bool, typer.Option(help="Ask installed peers (PDQ, videohash2) too.")] = True,
    reuse: Annotated[bool, typer.Option(help="Print figures of an earlier run where there are any.")] = False,
    json: Json = False,
) -> None:
    """Judge every network, plain similarities and installed peers on the same queries."""
    from dns_core.measurement.own_benchmark.run import FORMAT, BenchmarkOptions, run_benchmark
    from dns_core.params import load_params
    from dns_core.store.atomic import read_json
    from dns_core.workspace import Workspace

    results: list[dict[str, Any]] = []
    for folder in workspaces or [Path()]:
        workspace = Workspace(folder)
        path = workspace.artifacts / "benchmark.json"
        earlier = read_json(path) if reuse and path.exists() else {}
        # What another version wrote may lack figures that this one prints.
        if earlier.get("format") == FORMAT:
            results.append(earlier)
        else:
            params = load_params(workspace.root / "params.yaml").model_dump()
            options = BenchmarkOptions(params["evaluate"]["segment_score"], peers=peers)
            results.append(run_benchmark(workspace, options, command_progress()))
    if json:
        for result in results:
            print_json(result)
    else:
        _print(results)


def _print(results: list[dict[str, Any]]) -> None:
    rows = _by_method(results)
    counts = [f"{result['queries']} queries in {result['database']} videos" for result in results]
    sizes = ", ".join(dict.fromkeys(counts))
    first = next(iter(rows.values()))[0]
    strengths = [strength for strength in _STRENGTHS if strength in first["by_strength"]]
    columns = ("mAP", "mean over edits", *strengths, "recall@1", "uAP")
    print_table(
        f"{sizes}; mean and spread (max - min) over {len(results)} seeds",
        ["method", *(f">{column}" for column in columns)],
        [
            (name, *(_cell([_figure(row, column) for row in found]) for column in columns))
            for name, found in rows.items()
        ],
    )
    edits = list(first["by_edit"])
    shown = [name for name in rows if "%" not in name]
    print_table(
        "mAP by edit",
        ["edit", *(f">{name}" for name in shown)],
        [(edit, *(_cell([row["by_edit"][edit] for row in rows[name]]) for name in shown)) for edit in edits],
    )
    _print_selection(results)
    _print_thresholds(rows)
    _print_segments("matched segments of all answers", [result["segments"] for result in results])
    _print_segments("located in the pairs that match", [result["localisation"] for result in results])
    for name, reason in results[0]["absent"].items():
        print_line(f"absent: {name}: {reason}")


def _print_selection(results: list[dict[str, Any]]) -> None:
    budgets = results[0]["budgets"]
    shown = [row for row, budget in enumerate(budgets) if budget in (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0)]
    rows = [
        (
            fine,
            policy,
            *(_cell([result["selection"][fine][policy][row] for result in results]) for row in shown),
        )
        for fine, policies in results[0]["selection"].items()
        for policy in policies
    ]
    print_table("mAP by share re-ranked", ["", "chosen by", *(f">{budgets[row]:.0%}" for row in shown)], rows)


def _print_thresholds(rows: dict[str, list[dict[str, Any]]]) -> None:
    names = ("score", "false_positive_rate", "recall", "precision")
    print_table(
        "answers from a score on",
        ["method", ">score from", ">strange pairs", ">true pairs", ">precision"],
        [
            (method, *(_cell([row["thresholds"][cut][name] for row in found]) for name in names))
            for method, found in rows.items()
            if "30%" in method
            for cut in range(len(found[0]["thresholds"]))
        ],
    )


def _print_segments(title: str, results: list[dict[str, dict[str, dict[str, float]]]]) -> None:
    names = ("precision", "recall", "f1")
    rows = [
        (way, kind, *(_cell([result[way][kind][name] for result in results]) for name in names))
        for way, kinds in results[0].items()
        for kind in kinds
    ]
    print_table(title, ["", "queries", *(f">{name}" for name in names)], rows)


def _by_method(results: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of each method that every run has."""
    found: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        for row in result["methods"]:
            found.setdefault(row["method"], []).append(row)
    return {name: rows for name, rows in found.items() if len(rows) == len(results)}


def _figure(row: dict[str, Any], column: str) -> float:
    names = {"mAP": "map", "mean over edits": "mean_over_edits", "recall@1": "recall_at_1", "uAP": "micro_ap"}
    figure: float = row["by_strength"][column] if column in _STRENGTHS else row[names[column]]
    return figure


def _cell(values: list[float]) -> str:
    mean = f"{sum(values) / len(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({max(values) - min(values):.3f})"
