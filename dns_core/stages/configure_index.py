"""Stage ``configure_index``.

Reads: nothing.
Writes: artifacts/models/index_settings.json.
Params: configure_index.
Repeats exactly: yes.
"""

from pydantic import Field

from dns_core.index.chunks import Chunking
from dns_core.retrieval.index_settings import IndexSettings, write_index_settings
from dns_core.workspace import StageConfig, StageContext


class Config(StageConfig):
    """Settings of the stage: see `Chunking` and `IndexSettings`."""

    chunk_frames: int = Field(ge=4)
    overlap_frames: int = Field(ge=0)
    merge_from: float | None = Field(ge=0, le=1)


def run(config: Config, context: StageContext) -> None:
    """Write into the bundle how every index of it cuts and stores videos."""
    chunking = Chunking(config.chunk_frames, config.overlap_frames)
    write_index_settings(context.workspace.models, IndexSettings(chunking, config.merge_from))
