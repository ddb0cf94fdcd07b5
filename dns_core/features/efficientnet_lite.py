"""EfficientNet-Lite: EfficientNet without squeeze-and-excitation and with ReLU6, for phones and CPUs.

Reference: Tan and Le, EfficientNet, ICML 2019 (arXiv 1905.11946), table 1 for the stages.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_STEM_CHANNELS = 32
_HEAD_CHANNELS = 1280
_N_CLASSES = 1000
_CHANNEL_MULTIPLE = 8
_NORM_EPS = 1e-3


class _Stage(NamedTuple):
    expansion: int
    kernel: int
    stride: int
    repeats: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(6, 3, 2, 2, 24),
    _Stage(6, 5, 2, 2, 40),
    _Stage(6, 3, 2, 3, 80),
    _Stage(6, 5, 1, 3, 112),
    _Stage(6, 5, 2, 4, 192),
    _Stage(6, 3, 1, 1, 320),
)
# The last stage of each resolution: what follows it halves the map, or is the head.
_LAST_OF_RESOLUTION = (0, 1, 2, 4, 6)


class EfficientNetLite(nn.Module):
    """The classifier, and the maps at the end of each resolution.

    Args:
        width: multiplies the channels of all stages; stem and head keep theirs in the Lite variants.
        depth: multiplies the blocks of all stages but the first and the last.
    """

    def __init__(self, width: float, depth: float) -> None:
        super().__init__()
        self.conv_stem = _conv(3, _STEM_CHANNELS, 3, stride=2)
        self.bn0 = _norm(_STEM_CHANNELS)
        blocks: list[_Block] = []
        last_blocks: list[int] = []
        channels = _STEM_CHANNELS
        for k, stage in enumerate(_STAGES):
            end = k in (0, len(_STAGES) - 1)
            repeats = stage.repeats if end else math.ceil(depth * stage.repeats)
            out = _scaled_channels(stage.channels, width)
            for repeat in range(repeats):
                blocks.append(_Block(channels, out, stage._replace(stride=1) if repeat else stage))
                channels = out
            last_blocks.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        self.conv_head = _conv(channels, _HEAD_CHANNELS, 1)
        self.bn1 = _norm(_HEAD_CHANNELS)
        self.fc = nn.Linear(_HEAD_CHANNELS, _N_CLASSES)
        self._taps = frozenset(last_blocks[k] for k in _LAST_OF_RESOLUTION)

    def stage_maps(self, images: Tensor) -> list[Tensor]:
        """Maps ``[N, C, H, W]`` at 1/2, 1/4, 1/8, 1/16 and 1/32 of the side, then the head at 1/32."""
        x = F.relu6(self.bn0(self.conv_stem(images)), inplace=True)
        maps = []
        for k, block in enumerate(self.blocks):
            x = block(x)
            if k in self._taps:
                maps.append(x)
        return [*maps, F.relu6(self.bn1(self.conv_head(x)), inplace=True)]

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``[N, 1000]`` of ImageNet's classes."""
        logits: Tensor = self.fc(self.stage_maps(images)[-1].mean(dim=(2, 3)))
        return logits


class _Block(nn.Module):
    """Inverted bottleneck: widen, filter each channel, narrow; added to its input where shapes agree."""

    def __init__(self, channels: int, out: int, stage: _Stage) -> None:
        super().__init__()
        wide = channels * stage.expansion
        self.expands = stage.expansion != 1
        if self.expands:
            self.expand_conv = _conv(channels, wide, 1)
            self.bn0 = _norm(wide)
        self.depthwise_conv = _conv(wide, wide, stage.kernel, stride=stage.stride, groups=wide)
        self.bn1 = _norm(wide)
        self.project_conv = _conv(wide, out, 1)
        self.bn2 = _norm(out)
        self.adds = stage.stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        wide = F.relu6(self.bn0(self.expand_conv(x)), inplace=True) if self.expands else x
        y: Tensor = self.bn2(self.project_conv(F.relu6(self.bn1(self.depthwise_conv(wide)), inplace=True)))
        return x + y if self.adds else y


class _SamePadConv(nn.Conv2d):
    """TensorFlow's SAME padding, with which the weights were trained: an odd pixel goes to the far side."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        rows, columns = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[2:])
        if torch.compiler.is_exporting():
            # runtimes know paddings of two sides, and have fast kernels for weights of the usual sizes
            sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
            return F.conv2d(F.pad(x, sides), self.weight, self.bias, self.stride, groups=self.groups)
        # Zeros before the weights in place of a pixel less before the image: weights are small to copy.
        weight = F.pad(self.weight, (columns % 2, 0, rows % 2, 0)) if rows % 2 or columns % 2 else self.weight
        padding = (-(-rows // 2), -(-columns // 2))
        return F.conv2d(x, weight, self.bias, self.stride, padding, groups=self.groups)


def rename_published_keys(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published state dict under this module's names: theirs begin with an underscore."""
    return {".".join(part.removeprefix("_") for part in key.split(".")): state[key] for key in state}


def _conv(channels: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return _SamePadConv(channels, out, kernel, stride=stride, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_NORM_EPS)


def _scaled_channels(channels: int, width: float) -> int:
    """The multiple of 8 next to ``width * channels``, but never more than a tenth below it."""
    scaled = channels * width
    rounded = int(scaled + _CHANNEL_MULTIPLE / 2) // _CHANNEL_MULTIPLE * _CHANNEL_MULTIPLE
    return rounded + _CHANNEL_MULTIPLE if rounded < 0.9 * scaled else rounded
