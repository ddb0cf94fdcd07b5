"""Edited copies of unlabelled videos, at pixel level: what a teacher without labels learns from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from av import VideoFrame
from pydantic import Field

from dns_core.records import Float64Array, UInt8Array
from dns_core.training.config import StrictModel
from dns_core.video.clip import Clip
from dns_core.video.decode import Sampling
from dns_core.video.edits import Strength, edit_clip, random_edits
from dns_core.video.picture import PictureScaler


class ViewsConfig(StrictModel):
    """Which edited copies are made of each training video.

    Attributes:
        strengths: one copy for each entry, edited that strongly.
        edits_per_view: edits applied one after another.
        longest_side_px: frames are shrunk to this before they are edited.
        longest_frames: sampled frames of a video that are used at most.
    """

    strengths: tuple[Strength, ...]
    edits_per_view: int = Field(ge=1)
    longest_side_px: int = Field(ge=64)
    longest_frames: int = Field(ge=4)


@dataclass(frozen=True, slots=True)
class View:
    """Frames ``[T, crop, crop, 3]`` of one edited copy, and the source time ``[T]`` of each."""

    frames: UInt8Array
    times_s: Float64Array


def edited_views(
    clip: Clip, sampling: Sampling, config: ViewsConfig, rng: np.random.Generator
) -> Iterator[View]:
    """Yield a view for each of ``config.strengths``: the sampled frames under a random chain of edits."""
    for strength in config.strengths:
        yield _view(clip, sampling, strength, config.edits_per_view, rng)


def _view(clip: Clip, sampling: Sampling, strength: Strength, n_edits: int, rng: np.random.Generator) -> View:
    edited = clip
    for name in random_edits(rng, strength, n_edits):
        edited = edit_clip(edited, name, rng=rng, strength=strength)
    scaler = PictureScaler(1.0, threads=1)
    frames = [
        scaler.square(
            VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24"),
            sampling.crop_px,
            sampling.resize_px,
        )
        for frame in edited.frames
    ]
    return View(np.stack(frames), edited.source_times_s)
