"""In which numbers networks compute: bfloat16 where it was asked for and the device has it."""

from contextlib import AbstractContextManager

import torch

from dns_core.records import Precision

__all__ = ["Precision", "autocast"]


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[None]:
    """A context in which networks on ``device`` compute in ``precision``, or in a finer one.

    bfloat16 is emulated on processors without AVX-512 and on older GPUs, at many times the cost of single
    precision (16 times for a backbone on two AVX2 cores); there single precision is used. What differs is
    the rounding that the choice of bfloat16 allows.

    Args:
        precision: wanted.
        device: on which the networks are.
    """
    enabled = precision == "bf16" and _has_bf16(device)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.backends.cpu.get_cpu_capability() == "AVX512")
