import numpy as np
import pytest
import torch

from dns_core.measurement.own_benchmark.plain import MeanVector, RawChamfer
from dns_core.records import VideoFeatures
from dns_core.similarity.chamfer import region_chamfer


def _video(name: str, n_frames: int, seed: int) -> VideoFeatures:
    regions = np.random.default_rng(seed).standard_normal((n_frames, 9, 8)).astype(np.float32)
    regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
    return VideoFeatures(name, regions, np.arange(n_frames) / 2)


@pytest.mark.parametrize("partial", [False, True])
def test_raw_chamfer_is_that_of_pairs_one_by_one(partial: bool) -> None:
    database = [_video(str(n), n, n) for n in (1, 5, 3)]
    query = _video("q", 4, 9)
    expected = []
    for target in database:
        own, other = (torch.from_numpy(video.regions)[None] for video in (query, target))
        matrix = region_chamfer(own, other, partial)[0]
        forth, back = (float(matrix.amax(dim=axis).mean()) for axis in (1, 0))
        expected.append(max(forth, back) if partial else forth)
    found = RawChamfer(database, partial=partial).scores(query)
    np.testing.assert_allclose(found, np.array(expected), atol=1e-6)


def test_a_video_is_its_own_nearest() -> None:
    database = [_video(str(n), 3, n) for n in range(4)]
    for method in (RawChamfer(database), MeanVector(database)):
        scores = np.stack([method.scores(video) for video in database])
        np.testing.assert_allclose(scores.diagonal(), 1, atol=1e-6)
        assert (scores.argmax(axis=1) == np.arange(4)).all()
