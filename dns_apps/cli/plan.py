"""``dns plan``: what an archive of a size takes."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dns_apps.cli.options import Json
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.text import duration, size

if TYPE_CHECKING:
    from dns_core.evaluation.capacity import Figures, Plan

_SIZES = (10**6, 10**7, 10**8, 10**9)


def plan(
    *,
    videos: Annotated[
        list[int] | None,
        typer.Option("--videos", metavar="N", help="Videos of the archive; may be repeated."),
    ] = None,
    minutes: Annotated[float, typer.Option(metavar="M", help="Minutes that a video lasts.")] = 1.0,
    compared: Annotated[int, typer.Option(metavar="N", help="Videos that a query compares finely.")] = 500,
    memory: Annotated[float, typer.Option(metavar="GB", help="Memory of a machine that searches.")] = 64.0,
    disk: Annotated[float, typer.Option(metavar="GB", help="Local disk of such a machine.")] = 4000.0,
    seconds: Annotated[float, typer.Option(metavar="S", help="That a search may take.")] = 1.0,
    replicas: Annotated[int, typer.Option(metavar="N", help="Machines that hold each shard.")] = 2,
    measured: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Figures of benchmarks.capacity; the kept ones if not given."),
    ] = None,
    json: Json = False,
) -> None:
    """Show what archives take: storage, memory, core-hours, seconds a query, machines; 1 M to 1 B videos."""
    from dns_core.evaluation.capacity import Archive, Figures, Wishes
    from dns_core.evaluation.capacity import plan as planned

    figures = Figures.kept(measured)
    wishes = Wishes(compared, memory * 1e9, disk * 1e9, seconds, replicas)
    plans = [planned(Archive(n, minutes), figures, wishes) for n in videos or _SIZES]
    if json:
        rows = [{**_flat(row), "measured": row.measured} for row in plans]
        print_json({"plans": rows, "figures": asdict(figures), "wishes": asdict(wishes)})
        return
    _show(plans, figures, minutes)


def _flat(row: "Plan") -> dict[str, Any]:
    fields = asdict(row)
    return {**fields.pop("archive"), **fields}


def _show(plans: "list[Plan]", figures: "Figures", minutes: float) -> None:
    from dns_core.store.index_parts import bytes_read

    head = (">videos", ">storage", ">memory", ">core-hours", ">groups", ">holders", ">a search", "rests on")
    print_table(f"Archives of videos of {minutes:g} min", head, [_cells(row) for row in plans])
    search, cost = figures.search, figures.search.cost
    for line in (
        f"measured: {figures.source}; {search.n_videos} videos of {search.mean_s:.0f} s",
        f"  index: {size(bytes_read(search.n_bytes, search.fine))} a video; fine_attention, unless its index "
        f"leaves it out, adds {size(search.n_bytes.get('fine_attention', 0.0))}",
        f"  memory: vectors and codes, {size(search.n_bytes['coarse'])} a video, and "
        f"{figures.resident_bytes:.0f} B for ids and places",
        f"  describing: {figures.core_s_per_s:.3f} core seconds a second of (short) video",
        f"  a search, on indices of up to {figures.indexed_to:,} videos: {1000 * cost.fixed_s:.1f} ms, "
        f"{1e9 * cost.chunk_s:.1f} ns a code, {1e9 * cost.cell_s:.0f} ns a pair of frames; a query has "
        f"{search.query_frames:.0f} frames",
        f"  asking several machines: {1000 * figures.scatter_s:.1f} ms on one machine's loopback",
        "extrapolated: in proportion to videos and minutes; groups are equal, asked side by side, and on "
        "machines like the measured one; describing the query comes on top",
    ):
        print_line(line)


def _cells(row: "Plan") -> list[str]:
    basis = "measured" if row.measured else f"extrapolated {row.beyond:,.0f}-fold"
    groups = f"{row.groups:,}" if row.groups else "none is fast enough"
    return [
        f"{row.archive.n_videos:,}", size(row.storage_bytes), size(row.memory_bytes),
        f"{row.core_hours:,.0f}", groups, f"{row.holders:,}" if row.groups else "-", duration(row.query_s),
        basis,
    ]  # fmt: skip
