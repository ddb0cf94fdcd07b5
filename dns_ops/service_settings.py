"""Settings of the query service: variables named ``DNS_SERVE_...``."""

import hashlib
import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from dns_core.cores import usable_cores
from dns_ops.browser_guard import is_local

_SHA256 = "sha256:"
_MOST_THREADS = 4


class ServiceSettings(BaseModel):
    """Where the query service runs, what it serves and what uploads it accepts.

    Attributes:
        host: address to listen on; any address but loopback needs tokens.
        port: port to listen on.
        index: folder of the index; empty is the champion's, or the one in ``artifacts``.
        models: folder of the bundle; empty is what made the index: the champion's, trained here, or shipped.
        videos: folders with the index's videos, separated by ``:``; empty is the database of ``data``.
        query_tokens: tokens that may search, with commas between; each a token, or ``sha256:`` and a digest.
        admin_tokens: tokens that may also change the index; the same form.
        max_upload_bytes: size of one upload.
        min_bytes_per_s: bytes a second; an upload that arrives more slowly is cut off after ten seconds.
        upload_timeout_s: an upload that takes longer is cut off.
        uploads_per_address: uploads of one address at a time; more are told to come back.
        max_duration_s: length of the video, or of the part of it, that is searched with.
        max_pixels: pixels of one frame.
        max_waiting: queries at work or waiting at a time; more are told to come back.
        workers: queries that are worked on at a time, each with a decoder; 0 is as many as the cores carry.
        threads: threads of each computation; 0 is half of the cores, four at most.
        decode_timeout_s: a video that takes longer to decode is refused.
        decoder_memory_bytes: address space of a decoder process.
        holders: groups of shards that machines of the cluster hold; 0 searches in the service's own process.
        replicas: machines that hold each group.
        holder_timeout_s: a group that gives no answer within this time is lost to the query.
        partial: ``answer`` without the shards that are lost, and name them; or ``refuse`` with 503.
        keep_queries: number of queries kept; older ones without labels are deleted.
        keep_bytes: total size of the videos of kept queries.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=1, le=65535)
    index: str = ""
    models: str = ""
    videos: str = ""
    query_tokens: SecretStr = SecretStr("")
    admin_tokens: SecretStr = SecretStr("")
    max_upload_bytes: int = Field(default=500 << 20, ge=1)
    min_bytes_per_s: float = Field(default=16 << 10, gt=0)
    upload_timeout_s: float = Field(default=3600, gt=0)
    uploads_per_address: int = Field(default=64, ge=1)
    max_duration_s: float = Field(default=7200, gt=0)
    max_pixels: int = Field(default=7680 * 4320, ge=1)
    max_waiting: int = Field(default=32, ge=1)
    workers: int = Field(default=0, ge=0)
    threads: int = Field(default=0, ge=0)
    decode_timeout_s: float = Field(default=300, gt=0)
    decoder_memory_bytes: int = Field(default=4 << 30, ge=1 << 29)
    holders: int = Field(default=0, ge=0, le=10_000)
    replicas: int = Field(default=2, ge=1, le=100)
    holder_timeout_s: float = Field(default=30, gt=0)
    partial: Literal["answer", "refuse"] = "answer"
    keep_queries: int = Field(default=1000, ge=1)
    keep_bytes: int = Field(default=10 << 30, ge=0)

    @property
    def local(self) -> bool:
        """Whether only this machine can connect."""
        return is_local(self.host)

    @property
    def n_threads(self) -> int:
        """Threads of one computation; a small network gains little from more than four."""
        return self.threads or min(_MOST_THREADS, max(1, usable_cores() // 2))

    @property
    def n_workers(self) -> int:
        """Queries that are worked on at a time."""
        return self.workers or max(1, usable_cores() // self.n_threads)

    def video_folders(self) -> tuple[Path, ...]:
        """The folders named by ``videos``."""
        return tuple(Path(folder) for folder in self.videos.split(os.pathsep) if folder)

    def token_digests(self) -> dict[str, str]:
        """SHA-256 in hex of every token and its scope, ``query`` or ``admin``."""
        lists = (("query", self.query_tokens), ("admin", self.admin_tokens))
        return {
            _digest(token.strip()): scope
            for scope, tokens in lists
            for token in tokens.get_secret_value().split(",")
            if token.strip()
        }


def _digest(token: str) -> str:
    if token.startswith(_SHA256):
        return token.removeprefix(_SHA256).lower()
    return hashlib.sha256(token.encode()).hexdigest()
