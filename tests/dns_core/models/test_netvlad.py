from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from dns_core.models.netvlad import NetVLAD


@pytest.mark.parametrize(("name", "outdims"), [("vlad_full", None), ("vlad_red", 16)])
@pytest.mark.parametrize("case", ["r1", "r3"])
def test_equals_the_reference_with_and_without_mask(
    name: str, outdims: int | None, case: str, golden: Mapping[str, Any], close: Callable[..., None]
) -> None:
    layer = NetVLAD(32, 4, outdims)
    start = f"layers/{name}/param/"
    layer.load_state_dict(
        {key.removeprefix(start): torch.from_numpy(golden[key]) for key in golden if key.startswith(start)}
    )
    maps = torch.from_numpy(golden[f"layers/{name}/{case}/x"])
    mask = torch.from_numpy(golden[f"layers/{name}/{case}/mask"]).bool()
    vectors = maps.flatten(2).mT
    with torch.no_grad():
        close(layer(vectors), golden[f"layers/{name}/{case}/y"])
        every_region = mask.repeat_interleave(maps.shape[3], dim=1)
        close(layer(vectors, every_region), golden[f"layers/{name}/{case}/y_mask"])


def test_the_order_of_vectors_is_no_matter() -> None:
    torch.manual_seed(0)
    layer = NetVLAD(16, 4, 8)
    vectors = torch.randn(2, 12, 16)
    torch.testing.assert_close(layer(vectors), layer(vectors.flip(1)))
