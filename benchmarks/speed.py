"""What each part costs against its slow twin, side by side; what became slower since the kept results.

    python -m benchmarks.speed [--keep]

``--keep`` keeps the results for later runs on machines of this kind to compare themselves with.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import parts, searches, training
from benchmarks.measure import Measured, kind_of_machine, what_became_slower, write_results
from benchmarks.peaks import Peaks, measured_peaks

RESULTS = Path(__file__).parent / "results"
_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_N_SEARCHED = 10_000
_LENGTHS_S = (10, 60, 600, 3_600, 10_800)
_FILMS_S = (10, 60, 180)
_PARTS: tuple[Callable[[Peaks], Iterator[Measured]], ...] = (
    parts.binary_matrices,
    parts.pair_scores,
    lambda _: parts.selector(),
    lambda _: parts.coarse(),
    lambda _: parts.shortlist(),
    lambda _: parts.decoding(),
    parts.features,
    lambda _: training.training(),
    lambda peaks: searches.searches(_N_SEARCHED, peaks),
)


def main() -> None:
    """Measure, print, compare and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="later runs are compared with this one")
    keep = parser.parse_args().keep
    peaks = measured_peaks()
    rows: list[Measured] = []
    for part in _PARTS:
        for row in part(peaks):
            sys.stderr.write(f"{row.part}: {row.ratio:.1f}x\n")
            rows.append(row)
    figures = {
        "10^9 multiplications with additions a second in single precision at best": peaks.multiply_adds / 1e9,
        "10^9 multiplications with additions a second in bfloat16 at best": peaks.multiply_adds_bf16 / 1e9,
        "10^9 words of codes a second and thread at best": peaks.popcount_words / 1e9,
        **searches.lengths(_LENGTHS_S),
        **searches.indexing(_FILMS_S),
        **searches.growth(_SIZES),
    }
    console = Console(width=150)
    console.print(_table(rows))
    for label, value in figures.items():
        console.print(f"{label}: {value:.3g}")
    kept = RESULTS / f"{kind_of_machine()}.json"
    slower = "; ".join(what_became_slower(kept, rows)) or "nothing"
    console.print(f"slower than {kept.name}: {slower if kept.exists() else 'none is kept to compare with'}")
    write_results(kept if keep else RESULTS / "last.json", rows, figures)


def _table(rows: list[Measured]) -> Table:
    title = "fast and slow take turns; medians; at best: the ratio at the measured peak of this processor"
    table = Table(title=title, title_justify="left")
    for heading in ("part", "task", "fast ms", "slow ms", "first ms", "ratio", "target", "at best", "note"):
        right = heading not in ("part", "task", "note")
        table.add_column(heading, justify="right" if right else "left", no_wrap=right)
    for row in rows:
        times = [f"{ms:.1f}" for ms in (row.fast_ms, row.slow_ms, row.first_ms)]
        target = f"{row.target:g}x" if row.target else ""
        at_best = f"{row.at_best:.1f}x" if row.of_peak else ""
        table.add_row(row.part, row.task, *times, f"{row.ratio:.1f}x", target, at_best, row.note)
    return table


if __name__ == "__main__":
    main()
