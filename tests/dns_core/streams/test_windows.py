"""The last seconds of a stream."""

import numpy as np
import pytest

from dns_core.errors import ParamsError
from dns_core.streams.windows import Windowing, Windows


def test_a_window_holds_the_last_seconds_and_each_frame_once() -> None:
    windows = Windows(Windowing(4.0, 2.0), "stream")
    for first in range(0, 12, 2):
        times_s = np.array([first, first + 1.0])
        window = windows.add(np.full((2, 1, 1), times_s.reshape(2, 1, 1), dtype=np.float32), times_s)
    np.testing.assert_array_equal(window.times_s, [8, 9, 10, 11])
    np.testing.assert_array_equal(window.regions[:, 0, 0], window.times_s)


@pytest.mark.parametrize(("window_s", "hop_s"), [(4, 0), (4, 5), (0, 0)])
def test_a_hop_is_within_a_window(window_s: float, hop_s: float) -> None:
    with pytest.raises(ParamsError, match="a hop must be over 0 s"):
        Windowing(window_s, hop_s)
