"""Weights and features from seeds alone: what the golden figures of the reference code were made with.

A weight depends on its name in the state dict, its shape and the seed, so any implementation with the
same names can rebuild every weight. The digests in ``manifest.json`` guard the rule.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Array = npt.NDArray[Any]


def rule_weight(name: str, shape: Sequence[int], seed: int, fconv_gain: float = 1.6) -> Array:
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if name.endswith("num_batches_tracked"):
        return np.array(7, dtype=np.int64)
    if name.endswith("running_var"):
        return (0.5 + rng.random(tuple(shape))).astype(np.float32)
    noise = rng.standard_normal(tuple(shape))
    if name.endswith(("running_mean", "bias")):
        return (0.1 * noise).astype(np.float32)
    if len(shape) == 1:
        return (1.0 + 0.1 * noise).astype(np.float32)
    fan_in = shape[0] if name.endswith("binarization.W") else int(np.prod(shape[1:]))
    scaled: Array = _gain(name, fan_in, fconv_gain) * noise / np.sqrt(fan_in)
    return scaled.astype(np.float32)


def _gain(name: str, fan_in: int, fconv_gain: float) -> float:
    """Gains that keep every stage of the network away from saturation."""
    if name.endswith("attention.transform.weight"):
        return float(np.sqrt(fan_in))
    if ".conv" in name and ("visil_head" in name or "video_comperator" in name):
        return 1.8
    endings = {"attention.context_vector.weight": 2.0, "in_proj_weight": 20.0, "fconv.weight": fconv_gain}
    for ending, gain in endings.items():
        if name.endswith(ending):
            return gain
    return 2.0 if "mlp." in name else 1.0


def rule_state(model: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    return {
        name: torch.from_numpy(np.asarray(rule_weight(name, shape, model["seed"], model["fconv_gain"])))
        for name, shape in model["shapes"].items()
    }


def sha256(array: Array) -> str:
    little = np.ascontiguousarray(array)
    return hashlib.sha256(little.astype(little.dtype.newbyteorder("<")).tobytes()).hexdigest()


def feature_set(dims: int = 512) -> dict[str, Array]:
    """Five videos [T, 9, dims] float16: f007 and f064 hold noisy copies of f030, f150 of f064."""
    offset = 0 if dims == 512 else dims
    v30 = _video(1030 + offset, 30, dims)
    v64 = _video(1064 + offset, 64, dims)
    v64[10:40] = _noisy(v30, 1 + offset, 0.5)
    v150 = _video(1150 + offset, 150, dims)
    v150[50:90] = _noisy(v64[5:45], 2 + offset, 0.8)
    v7 = _noisy(v30[5:12], 3 + offset, 0.3)
    v4 = _video(1004 + offset, 4, dims)
    videos = {"f004": v4, "f007": v7, "f030": v30, "f064": v64, "f150": v150}
    return {name: video.astype(np.float16) for name, video in videos.items()}


def _video(seed: int, n_frames: int, dims: int) -> Array:
    """Unit region vectors that drift, with a cut at every tenth frame or so."""
    rng = np.random.default_rng(seed)
    frames = np.empty((n_frames, 9, dims))
    current = rng.standard_normal((9, dims))
    for i in range(n_frames):
        if i and rng.random() < 0.1:
            current = rng.standard_normal((9, dims))
        else:
            current = 0.9 * current + np.sqrt(1 - 0.81) * rng.standard_normal((9, dims))
        frames[i] = current
    return _unit(frames)


def _noisy(video: Array, seed: int, strength: float) -> Array:
    noise = np.random.default_rng(seed).standard_normal(video.shape)
    return _unit(video + strength * noise / np.sqrt(video.shape[-1]))


def _unit(vectors: Array) -> Array:
    unit: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return unit
