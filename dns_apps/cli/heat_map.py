"""A picture of how alike all frames of two videos are."""

from pathlib import Path
from typing import TYPE_CHECKING

from dns_core.errors import MissingArtefactError

if TYPE_CHECKING:
    from dns_core.retrieval.comparison import Comparison

_SIZE_INCHES = 8.0
_LOWEST, _HIGHEST = -1.0, 1.0


def draw_heat_map(path: Path, comparison: "Comparison", names: tuple[str, str]) -> None:
    """Draw the frame-frame matrix as a PNG: the first video downwards, the second to the right, in seconds.

    The scale of colours is always -1 to 1, so that pictures can be compared; matched stretches are framed.

    Args:
        path: the file to write, atomically.
        comparison: of two videos.
        names: of the two videos.

    Raises:
        MissingArtefactError: matplotlib, an optional package, is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle
    except ModuleNotFoundError as error:
        raise MissingArtefactError(
            "drawing needs matplotlib: pip install 'distill-and-select[plot]'"
        ) from error
    from dns_core.store.atomic import atomic_file

    figure = Figure(figsize=(_SIZE_INCHES, _SIZE_INCHES), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    rows_s, columns_s = comparison.query_times_s, comparison.target_times_s
    extent = (float(columns_s[0]), float(columns_s[-1]), float(rows_s[-1]), float(rows_s[0]))
    image = axes.imshow(
        comparison.matrix, extent=_opened(extent), vmin=_LOWEST, vmax=_HIGHEST, aspect="auto", cmap="viridis"
    )
    for s in comparison.segments:
        width, height = s.target_end_s - s.target_start_s, s.query_end_s - s.query_start_s
        corner = (s.target_start_s, s.query_start_s)
        axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="white", linewidth=1.5))
    axes.set_xlabel(f"{Path(names[1]).name} [s]", parse_math=False)
    axes.set_ylabel(f"{Path(names[0]).name} [s]", parse_math=False)
    figure.colorbar(image, label="similarity of frames", shrink=0.7)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png")


def _opened(extent: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The extent with some width in both directions: a video of one frame has none by itself."""
    left, right, bottom, top = extent
    return left, max(right, left + 1e-3), max(bottom, top + 1e-3), top
