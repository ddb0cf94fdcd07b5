"""data.npz, data.json, augment.json: collation, reading, pair selection, sampling, augmentation."""

import random
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dns_core.measurement.paper_tables.encoding import lengthened
from dns_core.measurement.paper_tables.videos import usable_regions
from dns_core.records import Quarantined
from dns_core.store.feature_store import FeatureStore
from dns_core.training.batches import padded
from dns_core.training.reference_draws import (
    augmented_frames,
    balanced_places,
    drawn_triplets,
    selector_pairs,
    training_videos,
)
from tests.oracles.reference_files import arrays, figures

DATA, FACTS = arrays("data.npz"), figures("data.json")


def check_batch(videos: list[Any], out: str) -> None:
    batch, mask = padded(videos)
    np.testing.assert_array_equal(batch.numpy(), DATA[f"{out}/videos"])
    np.testing.assert_array_equal(mask.numpy(), DATA[f"{out}/masks"].astype(bool))


def test_students_see_anchors_then_positives_then_negatives() -> None:
    inputs = [[DATA[f"collate_student/in/{row}_{part}"] for row in range(2)] for part in range(4)]
    check_batch([*inputs[0], *inputs[1], *inputs[2]], "collate_student/out")
    np.testing.assert_array_equal(np.concatenate(inputs[3]), DATA["collate_student/out/sims"])


def test_selectors_see_queries_then_targets() -> None:
    inputs = [[DATA[f"collate_selector/in/{row}_{part}"] for row in range(2)] for part in range(4)]
    check_batch([*inputs[0], *inputs[1]], "collate_selector/out")
    np.testing.assert_array_equal(np.concatenate(inputs[2]), DATA["collate_selector/out/sims"])
    np.testing.assert_array_equal(np.concatenate(inputs[3]), DATA["collate_selector/out/labels"])


def test_one_region_is_repeated_and_two_of_three_are_refused() -> None:
    check_batch([DATA[f"collate_eval/in/{row}"] for row in range(3)], "collate_eval/out")
    assert FACTS["collate_eval_ids"] == ["id3", "id5", "id2"]
    assert FACTS["collate_eval_2_vs_3_regions"].startswith("RuntimeError")
    two, three = np.zeros((3, 2, 4), np.float32), np.zeros((2, 3, 4), np.float32)
    with pytest.raises(ValueError, match=r"need the same \[R, D\], found \[\(2, 4\), \(3, 4\)\]"):
        padded([two, three])


def test_videos_are_read_and_short_ones_doubled(tmp_path: Path) -> None:
    # v1 to v5 have as many frames as their names say.
    with h5py.File(tmp_path / "features.hdf5", "w") as file:
        for number, (name, shape, _) in enumerate(FACTS["dataset"][:-1]):
            stored = DATA[f"dataset/{number}_{name}"]
            assert list(stored.shape) == shape
            length = int(name[1:]) if name[0] == "v" else len(stored)
            flat = name in ("flat", "f64")
            file[name] = stored[:length, 0].astype(np.float64) if flat else stored[:length]
    with FeatureStore.open(tmp_path / "features.hdf5") as store:
        for number, (name, _, dtype) in enumerate(FACTS["dataset"][:-1]):
            regions = usable_regions(store, name, 2)
            assert isinstance(regions, np.ndarray)
            assert f"torch.{regions.dtype}" == dtype
            np.testing.assert_array_equal(lengthened(regions), DATA[f"dataset/{number}_{name}"])
        absent = usable_regions(store, "absent", 2)
    # The reference makes it a video of zeros without a name, which then vanishes.
    assert FACTS["dataset"][-1][0] == ""
    assert not DATA["dataset/7_absent"].any()
    assert isinstance(absent, Quarantined)
    assert absent.reason == "missing"


def test_a_video_of_no_frames_is_refused_where_the_reference_never_returns() -> None:
    with pytest.raises(ValueError, match="no frames"):
        lengthened(np.zeros((0, 9, 4), np.float32))


def pools(stored: Any) -> Any:
    """JSON has turned the places into strings."""
    return {
        int(query): {
            pool: {int(video): similarity for video, similarity in videos.items()}
            for pool, videos in of_query.items()
        }
        for query, of_query in stored.items()
    }


@pytest.mark.parametrize("run", FACTS["select_pairs"]["runs"])
def test_pair_selection(run: dict[str, Any]) -> None:
    given = FACTS["select_pairs"]
    # One of the twelve videos has no features: the sets drawn from all of them never hold it.
    available = [video for video in given["index"] if video != "v11"]
    rng = np.random.RandomState(run["numpy_seed_before_init"])
    videos = training_videos(given["index"], available, run["percentage"], rng)
    assert sorted(videos) == run["video_set"]
    coarse = run["student_type"] == "coarse-grained"
    rng_of_pairs = random.Random(run["random_seed"])  # noqa: S311
    found = drawn_triplets(pools(given["pairs"]), videos, rng_of_pairs, coarse=coarse)
    rows = [[t.query, t.positive, t.negative, t.positive_similarity, t.negative_similarity] for t in found]
    assert rows == run["selected_pairs"]


def test_augmentation() -> None:
    rows = figures("augment.json")
    for n_frames, seed, expected in rows:
        found = augmented_frames(n_frames, np.random.RandomState(seed))
        assert found.tolist() == expected, (n_frames, seed)
    assert len(rows) == 280


@pytest.mark.parametrize("threshold", FACTS["selector_dataset"])
def test_selector_pairs_and_their_split(threshold: str) -> None:
    given, expected = FACTS["selector_similarities"], FACTS["selector_dataset"][threshold]
    share = len(expected["y_val"]) / (len(expected["y_val"]) + len(expected["y_train"]))
    sides = selector_pairs(
        given["index"],
        pools(given["fine"]),
        pools(given["coarse"]),
        threshold=float(threshold),
        validation_share=share - 1e-9,
    )
    for side, name in zip(sides, ("train", "val"), strict=True):
        assert [[a, b, str(c)] for a, b, c in side.pairs] == expected[f"X_{name}"]
        assert side.labels.tolist() == expected[f"y_{name}"]


def test_selector_sampling() -> None:
    given = FACTS["selector_sampling"]
    rng, labels = np.random.RandomState(given["numpy_seed"]), np.array(given["labels"], np.float32)
    assert balanced_places(labels, None, rng) == given["first"]
    assert balanced_places(labels, 3, rng) == given["next_epoch_size3"]
