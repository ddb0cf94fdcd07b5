"""A picture of how alike all frames of two videos are."""

from pathlib import Path
from typing import TYPE_CHECKING

from dns_core.errors import MissingArtefactError
from dns_core.records import VideoFeatures

if TYPE_CHECKING:
    from dns_core.retrieval.comparison import Comparison

_SIZE_INCHES = 8.0
_LOWEST, _HIGHEST = -1.0, 1.0


def draw_heat_map(path: Path, comparison: "Comparison", a: VideoFeatures, b: VideoFeatures) -> None:
    """``path`` is a PNG of the frame-frame matrix, ``a`` downwards and ``b`` to the right, in seconds.

    The scale of colours is always -1 to 1, so that pictures can be compared; matched stretches are framed.

    Args:
        path: the file to write, atomically.
        comparison: of ``a`` with ``b``.
        a: the first video.
        b: the second video.

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
    extent = (float(b.times_s[0]), float(b.times_s[-1]), float(a.times_s[-1]), float(a.times_s[0]))
    image = axes.imshow(
        comparison.matrix, extent=_opened(extent), vmin=_LOWEST, vmax=_HIGHEST, aspect="auto", cmap="viridis"
    )
    for s in comparison.segments:
        width, height = s.target_end_s - s.target_start_s, s.query_end_s - s.query_start_s
        corner = (s.target_start_s, s.query_start_s)
        axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="white", linewidth=1.5))
    axes.set_xlabel(f"{Path(b.video_id).name} [s]", parse_math=False)
    axes.set_ylabel(f"{Path(a.video_id).name} [s]", parse_math=False)
    figure.colorbar(image, label="similarity of frames", shrink=0.7)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png")


def _opened(extent: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The extent with some width in both directions: a video of one frame has none by itself."""
    left, right, bottom, top = extent
    return left, max(right, left + 1e-3), max(bottom, top + 1e-3), top
