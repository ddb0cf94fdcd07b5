import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.panels.pair import clip_around, heat_map, similarity_range
from dns_apps.service.schemas import Comparison

TIMES = st.floats(0, 5000, allow_nan=False)


def comparison(matrix: list[list[float]]) -> Comparison:
    rows, columns = len(matrix), len(matrix[0]) if matrix else 0
    return Comparison(
        score=0.5, raw_score=0.5, query_times_s=tuple(range(rows)), target_times_s=tuple(range(columns)),
        matrix=tuple(map(tuple, matrix)), paths=(((0.0, 0.0), (1.0, 1.0)),), segments=(),
    )  # fmt: skip


@given(TIMES, st.floats(1, 5000), st.floats(5, 90))
def test_a_clip_holds_its_moment_lies_in_the_video_and_is_not_too_long(
    at_s: float, duration_s: float, longest_s: float
) -> None:
    at_s = min(at_s, duration_s)
    clip = clip_around(at_s, duration_s, longest_s)
    assert clip.start_s <= at_s + 1e-6
    assert at_s <= clip.stop_s + 1e-6
    assert clip.start_s >= 0
    assert clip.stop_s <= duration_s + 1e-6
    assert clip.stop_s - clip.start_s <= longest_s + 1e-6


def test_a_short_video_is_loaded_whole_and_an_unknown_length_is_no_obstacle() -> None:
    assert clip_around(3, 20, 60) == clip_around(19, 20, 60)
    unknown = clip_around(100, 0, 60)
    assert (unknown.start_s, unknown.stop_s) == (80, 140)


def test_cells_lie_row_by_row_from_the_lowest_to_the_highest_similarity() -> None:
    drawn = heat_map(comparison([[0.0, 0.5], [0.25, 1.0]]))
    cells = np.frombuffer(base64.b64decode(drawn["cells"]), dtype=np.uint8).reshape(2, 2)
    assert (drawn["rows"], drawn["columns"]) == (2, 2)
    assert cells[1, 1] == 255
    assert cells[0, 0] == 0
    assert cells[0, 1] > cells[1, 0]


@pytest.mark.parametrize("matrix", [[[0.3]], [[0.3, 0.3], [0.3, 0.3]], []])
def test_a_flat_or_empty_matrix_can_be_drawn(matrix: list[list[float]]) -> None:
    low, high = similarity_range(comparison(matrix))
    assert low < high
    heat_map(comparison(matrix))
