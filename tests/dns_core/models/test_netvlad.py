import torch

from dns_core.models.netvlad import NetVLAD


def test_the_order_of_vectors_is_no_matter() -> None:
    torch.manual_seed(0)
    layer = NetVLAD(16, 4, 8)
    vectors = torch.randn(2, 12, 16)
    torch.testing.assert_close(layer(vectors), layer(vectors.flip(1)))
