from collections.abc import Callable

import numpy as np
import pytest

from dns_core.index import Chunking, EncodedVideo, Origin

RecordMaker = Callable[..., EncodedVideo]


@pytest.fixture
def make_record() -> RecordMaker:
    """One encoded video, the same for the same id: 2 regions, 1 word of code, 12 coarse dimensions."""

    def make(video_id: str, n_frames: int = 5, chunking: Chunking | None = None) -> EncodedVideo:
        rng = np.random.default_rng(list(video_id.encode()))
        spans = (chunking or Chunking(256, 64)).spans(n_frames)
        coarse = rng.normal(size=(len(spans), 12)).astype(np.float32)
        coarse /= np.linalg.norm(coarse, axis=1, keepdims=True)
        return EncodedVideo(
            video_id=video_id,
            content=f"content of {video_id}",
            times_s=np.arange(n_frames, dtype=np.float64),
            spans=spans,
            coarse=coarse,
            numbers={"fine_binary": rng.normal(size=len(spans)).astype(np.float32)},
            frames={
                "fine_binary": rng.integers(0, 2**63, size=(n_frames, 2, 1), dtype=np.uint64),
                "fine_attention": rng.normal(size=(n_frames, 2, 4)).astype(np.float16),
            },
        )

    return make


@pytest.fixture
def origin() -> Origin:
    models = {"whitening": "w1", "coarse": "c1", "fine_binary": "b1"}
    return Origin(models, {"chunking": {"chunk_frames": 256, "overlap_frames": 64}})
