"""Containers to frames and back: discovery, probing, sampling, edits and writing (PyAV)."""

from dns_core.video.clip import Clip, SourceSegment, other_segments, source_segments
from dns_core.video.decode import FrameChunk, Sampling, decode_frames, read_clip
from dns_core.video.discover import discover_videos, named_videos
from dns_core.video.encode import write_video
from dns_core.video.probe import StreamFacts, probe_video, stream_facts
from dns_core.video.stills import frames_at

__all__ = [
    "Clip",
    "FrameChunk",
    "Sampling",
    "SourceSegment",
    "StreamFacts",
    "decode_frames",
    "discover_videos",
    "frames_at",
    "named_videos",
    "other_segments",
    "probe_video",
    "read_clip",
    "source_segments",
    "stream_facts",
    "write_video",
]
