from pathlib import Path

import h5py
import numpy as np
import pytest

from dns_core.records import VideoFeatures
from dns_core.store.feature_store import FeatureStore
from dns_core.store.reference_features import write_reference_features


def video(video_id: str, n_frames: int = 5) -> VideoFeatures:
    regions = np.random.default_rng(n_frames).standard_normal((n_frames, 9, 8)).astype(np.float32)
    return VideoFeatures(video_id, regions, np.arange(n_frames, dtype=np.float64))


def test_the_file_holds_what_the_reference_reads_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "features.hdf5"
    videos = [video("b", 3), video("1/1_1_Y", 4)]
    assert write_reference_features(path, videos) == 2
    with h5py.File(path) as file:
        assert set(file) == {"b", "1"}
        for each in videos:
            stored = file[each.video_id][:]
            assert stored.dtype == np.float32
            np.testing.assert_array_equal(stored, each.regions)
    with FeatureStore.open(path) as store:
        assert store.ids == ("1/1_1_Y", "b")
        np.testing.assert_array_equal(store.read("b").regions, videos[0].regions)
        np.testing.assert_array_equal(store.read("b").times_s, [0, 1, 2])


def test_vectors_of_frames_are_read_as_one_region(tmp_path: Path) -> None:
    path = tmp_path / "flat.hdf5"
    with h5py.File(path, "w") as file:
        file["flat"] = np.ones((6, 4), dtype=np.float64)
    with FeatureStore.open(path) as store:
        assert store.read("flat").regions.shape == (6, 1, 4)
        assert store.read("flat").regions.dtype == np.float32


def test_an_id_twice_and_numbers_that_are_none_are_refused_and_leave_no_file(tmp_path: Path) -> None:
    path = tmp_path / "features.hdf5"
    with pytest.raises(ValueError, match="'a' twice"):
        write_reference_features(path, [video("a"), video("a")])
    broken = video("a")
    broken.regions[2, 3, 4] = np.nan
    with pytest.raises(ValueError, match="'a': expected finite features"):
        write_reference_features(path, [broken])
    assert list(tmp_path.iterdir()) == []
