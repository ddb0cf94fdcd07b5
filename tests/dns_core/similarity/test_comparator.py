import pytest
import torch

from dns_core.similarity.comparator import Comparator


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 9), (4, 8), (30, 41)])
def test_one_output_for_each_window_of_four_by_four_frames(height: int, width: int) -> None:
    windows, valid = Comparator()(torch.rand(2, height, width))
    assert windows.shape == (2, -(-height // 4), -(-width // 4))
    assert valid is None or (valid.shape == windows.shape and valid.all())


def test_incomplete_windows_are_dropped_in_the_rule_of_the_reference() -> None:
    matrix = torch.rand(2, 30, 41)
    windows, valid = Comparator(compatibility="reference")(matrix)
    assert windows.shape == (2, 7, 10)
    assert valid is None


def test_masked_cells_have_no_influence() -> None:
    torch.manual_seed(0)
    comparator = Comparator()
    matrix = torch.rand(1, 12, 16)
    mask = torch.zeros(1, 12, 16, dtype=torch.bool)
    mask[:, :6, :9] = True
    windows, valid = comparator(matrix, mask)
    changed, _ = comparator(torch.where(mask, matrix, 5.0), mask)
    torch.testing.assert_close(windows, changed)
    assert valid is not None
    assert valid[0].tolist() == [[True, True, True, False], [True, True, True, False], [False] * 4]


def test_padding_modes_differ_at_the_edge() -> None:
    torch.manual_seed(0)
    zeros, replicate = Comparator("zeros"), Comparator("replicate")
    replicate.load_state_dict(zeros.state_dict())
    matrix = torch.rand(1, 32, 32) + 0.5
    difference = (zeros(matrix)[0] - replicate(matrix)[0]).abs()[0]
    assert difference[0].max() > 1e-3
    assert difference[3:5, 3:5].max() < 1e-6
