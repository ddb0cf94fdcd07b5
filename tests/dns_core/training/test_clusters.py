import numpy as np
import pytest

from dns_core.errors import InputError
from dns_core.training.batches import FeatureSet
from dns_core.training.clusters import FrameIndex, duplicate_clusters, likely_duplicates, split_by_cluster


def test_videos_that_share_frames_are_alike_and_others_are_not(
    corpus: FeatureSet, sources: tuple[str, ...]
) -> None:
    alike = likely_duplicates(FrameIndex(corpus, sources), threshold=0.8, min_frames=3)
    number = {video_id: int(video_id[1:-4]) for video_id in sources}
    for row, first in enumerate(sources):
        for column, second in enumerate(sources):
            assert alike[row, column] == (number[first] // 2 == number[second] // 2), (first, second)


def test_more_shared_frames_than_there_are_makes_no_pair(
    corpus: FeatureSet, sources: tuple[str, ...]
) -> None:
    alike = likely_duplicates(FrameIndex(corpus, sources), threshold=0.8, min_frames=7)
    assert alike.sum() == len(sources)  # each with itself alone


def test_similarity_of_a_video_with_itself_is_one(corpus: FeatureSet, sources: tuple[str, ...]) -> None:
    similarities = FrameIndex(corpus, sources).video_similarities(corpus.regions(sources[3]), n_neighbours=50)
    assert similarities[3] == pytest.approx(1, abs=1e-3)
    assert similarities.argmax() == 3


def test_a_split_cuts_no_cluster() -> None:
    clusters = duplicate_clusters(np.kron(np.eye(10), np.ones((3, 3))).astype(bool))
    ids = [f"v{number}" for number in range(30)]
    split = split_by_cluster(ids, clusters, validation_share=0.2, seed=0)
    assert set(split.train) | set(split.validation) == set(ids)
    assert not {split.cluster_of[v] for v in split.train} & {split.cluster_of[v] for v in split.validation}
    assert 6 <= len(split.validation) <= 12


def test_another_seed_holds_out_others() -> None:
    ids = [f"v{number}" for number in range(30)]
    splits = {split_by_cluster(ids, np.arange(30), validation_share=0.2, seed=s).validation for s in range(5)}
    assert len(splits) > 1


def test_one_cluster_cannot_be_split() -> None:
    with pytest.raises(InputError, match="no validation split: expected clusters of at most 2 videos"):
        split_by_cluster(["a", "b", "c"], np.zeros(3, dtype=np.int64), validation_share=0.3, seed=0)
