"""The index: immutable versions on disk of what retrieval compares with (no network in here)."""

from dns_core.index.build import Origin, add_videos, build_index, compact_index, remove_videos
from dns_core.index.check import IndexInfo, index_info, verify_index
from dns_core.index.chunks import Chunking
from dns_core.index.encoded import EncodedVideo
from dns_core.index.manifest import Manifest
from dns_core.index.reader import Index, open_index
from dns_core.index.versions import is_index

__all__ = [
    "Chunking",
    "EncodedVideo",
    "Index",
    "IndexInfo",
    "Manifest",
    "Origin",
    "add_videos",
    "build_index",
    "compact_index",
    "index_info",
    "is_index",
    "open_index",
    "remove_videos",
    "verify_index",
]
