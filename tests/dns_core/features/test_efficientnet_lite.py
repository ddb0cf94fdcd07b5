import pytest
import torch
import torch.nn.functional as F

from dns_core.features.efficientnet_lite import _SamePadConv


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(14, 14), (15, 15), (14, 9), (9, 14)])
def test_images_are_padded_as_the_weights_were_trained(
    kernel: int, stride: int, size: tuple[int, int]
) -> None:
    """TensorFlow's SAME: as many outputs as strides begin in the image, the odd pixel at the far side."""
    torch.manual_seed(0)
    conv = _SamePadConv(4, 4, kernel, stride=stride, groups=4)
    image = torch.randn(2, 4, *size)
    rows, columns = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in size)
    padded = F.pad(image, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
    expected = F.conv2d(padded, conv.weight, conv.bias, stride, groups=4)
    assert expected.shape[2:] == tuple(-(-n // stride) for n in size)
    torch.testing.assert_close(conv(image), expected)
