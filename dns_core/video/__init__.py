"""Containers to frames and back: discovery, probing, sampling, edits and writing (PyAV)."""

from dns_core.video.clip import Clip, SourceSegment, other_segments, source_segments
from dns_core.video.decode import FrameChunk, Sampling, decode_frames, read_clip
from dns_core.video.discover import discover_videos
from dns_core.video.encode import write_video
from dns_core.video.probe import probe_video

__all__ = [
    "Clip",
    "FrameChunk",
    "Sampling",
    "SourceSegment",
    "decode_frames",
    "discover_videos",
    "other_segments",
    "probe_video",
    "read_clip",
    "source_segments",
    "write_video",
]
