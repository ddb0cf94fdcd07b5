"""ResNet-50, the backbone of the paper, under the names of torchvision's published weights.

Reference: He et al., Deep Residual Learning, CVPR 2016 (arXiv 1512.03385), with the stride in the 3x3
convolution as torchvision has it.
"""

import torch.nn.functional as F
from torch import Tensor, nn

_N_CLASSES = 1000
_EXPANSION = 4


class ResNet50(nn.Module):
    """The classifier, and the maps of its four stages."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _layer(64, 64, blocks=3, stride=1)
        self.layer2 = _layer(256, 128, blocks=4, stride=2)
        self.layer3 = _layer(512, 256, blocks=6, stride=2)
        self.layer4 = _layer(1024, 512, blocks=3, stride=2)
        self.fc = nn.Linear(2048, _N_CLASSES)

    def stage_maps(self, images: Tensor) -> list[Tensor]:
        """Maps ``[N, C, H, W]`` at 1/4, 1/8, 1/16 and 1/32 of the side: 256, 512, 1024, 2048 channels."""
        x = F.relu(self.bn1(self.conv1(images)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        maps = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            maps.append(x)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``[N, 1000]`` of ImageNet's classes."""
        logits: Tensor = self.fc(self.stage_maps(images)[-1].mean(dim=(2, 3)))
        return logits


class _Bottleneck(nn.Module):
    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = width * _EXPANSION
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))
            if stride != 1 or channels != out
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def _layer(channels: int, width: int, *, blocks: int, stride: int) -> nn.Sequential:
    rest = (_Bottleneck(width * _EXPANSION, width, 1) for _ in range(blocks - 1))
    return nn.Sequential(_Bottleneck(channels, width, stride), *rest)
