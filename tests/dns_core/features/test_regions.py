import pytest
import torch
import torch.nn.functional as F

from dns_core.features.regions import region_vectors


@pytest.mark.parametrize("side", [3, 4, 5, 7, 8, 9, 10, 15, 17, 33, 65, 112, 130])
def test_any_side_gives_nine_unit_vectors(side: int) -> None:
    maps = [torch.rand(2, 4, side, side), torch.rand(2, 5, 7, 7)]
    regions = region_vectors(maps)
    assert regions.shape == (2, 9, 9)
    torch.testing.assert_close(regions.norm(dim=-1), torch.ones(2, 9))


def test_regions_run_row_by_row_on_maps_that_are_not_square() -> None:
    stage = torch.zeros(1, 2, 6, 12)
    stage[0, 0, 0, 11] = 1.0  # top right
    stage[0, 1, 3, 0] = 1.0  # bottom left
    regions = region_vectors([stage])[0]
    assert regions[:, 0].argmax() == 2
    assert regions[:, 1].argmax() == 6


def test_each_stage_counts_the_same() -> None:
    maps = [torch.rand(1, 8, 7, 7), 100 * torch.rand(1, 8, 7, 7)]
    halves = region_vectors(maps).reshape(1, 9, 2, 8).norm(dim=-1)
    torch.testing.assert_close(halves, torch.full((1, 9, 2), 0.5**0.5))


def test_an_empty_region_stays_zero_and_half_precision_is_widened() -> None:
    regions = region_vectors([torch.zeros(1, 3, 7, 7, dtype=torch.bfloat16)])
    assert regions.dtype == torch.float32
    assert not regions.any()


def test_a_map_smaller_than_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="side 2"):
        region_vectors([torch.zeros(1, 3, 2, 7)])


def test_windows_agree_with_pooling_by_hand() -> None:
    stage = torch.rand(1, 3, 14, 14)
    by_hand = torch.stack(
        [stage[0, :, r : r + 6, c : c + 6].amax(dim=(1, 2)) for r in (0, 3, 6) for c in (0, 3, 6)]
    )
    torch.testing.assert_close(region_vectors([stage])[0], F.normalize(by_hand, dim=-1))
