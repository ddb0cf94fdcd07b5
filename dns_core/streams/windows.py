"""The last seconds of a stream as queries: every frame is described once and is in several windows."""

from dataclasses import dataclass

import numpy as np

from dns_core.errors import ParamsError
from dns_core.records import Float32Array, Float64Array, VideoFeatures


@dataclass(frozen=True, slots=True)
class Windowing:
    """How a stream is cut into queries.

    Attributes:
        window_s: seconds of a query.
        hop_s: seconds from one query to the next.

    Raises:
        ParamsError: a hop is not above 0 or longer than a window.
    """

    window_s: float = 8.0
    hop_s: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.hop_s <= self.window_s:
            raise ParamsError(
                f"a hop must be over 0 s and at most a window; got {self.hop_s} s of {self.window_s} s"
            )


class Windows:
    """Holds what was described of the last window.

    Args:
        windowing: how the stream is cut.
        name: of the stream, for its queries.
    """

    def __init__(self, windowing: Windowing, name: str) -> None:
        self._windowing = windowing
        self._name = name
        self._regions: list[Float32Array] = []
        self._times_s: list[float] = []

    def add(self, regions: Float32Array, times_s: Float64Array) -> VideoFeatures:
        """The window that ends with some more frames.

        Args:
            regions: ``[N, R, D]`` whitened, N at least 1.
            times_s: ``[N]`` seconds of the stream, later than all before.
        """
        self._regions.extend(regions)
        self._times_s.extend(times_s.tolist())
        oldest_s = self._times_s[-1] - self._windowing.window_s
        n_gone = sum(time_s <= oldest_s for time_s in self._times_s)
        del self._regions[:n_gone], self._times_s[:n_gone]
        return VideoFeatures(self._name, np.stack(self._regions), np.array(self._times_s))
