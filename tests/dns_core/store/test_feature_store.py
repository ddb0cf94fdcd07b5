import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from dns_core.errors import CorruptArtefactError, MissingArtefactError, VideoError
from dns_core.records import Float32Array, Float64Array
from dns_core.store.feature_store import FeatureStore, FeatureWriter

METADATA = {"backbone": "toy", "whitening": "none"}
IDS = ["b.mp4", "a/deep/vidéo 1.mp4", "new\nline.mp4", "a/z.mp4", "\udcff.mp4"]


def _chunks(seed: int, n_chunks: int = 3, n: int = 30) -> Iterator[tuple[Float32Array, Float64Array]]:
    rng = np.random.default_rng(seed)
    for k in range(n_chunks):
        yield (
            rng.standard_normal((n, 9, 4)).astype(np.float32),
            np.arange(k * n, (k + 1) * n, dtype=np.float64) + 0.04,
        )


def _write(path: Path, partial: Path, ids: list[str] = IDS) -> None:
    writer = FeatureWriter(path, metadata=METADATA, partial=partial)
    for video_id in ids:
        if not writer.done(video_id):
            writer.write(video_id, _chunks(IDS.index(video_id)))
    writer.finish([*ids, *ids])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    _write(tmp_path / "features.h5", tmp_path / "partial")
    return tmp_path / "features.h5"


def test_features_times_and_metadata_are_read_back(path: Path) -> None:
    with FeatureStore.open(path) as store:
        assert store.ids == tuple(sorted(IDS))
        assert store.metadata == METADATA
        assert len(store.fingerprint) == 16
        for k, video_id in enumerate(IDS):
            regions = np.concatenate([chunk[0] for chunk in _chunks(k)])
            features = store.read(video_id)
            assert features.video_id == video_id
            assert features.regions.dtype == np.float32
            np.testing.assert_array_equal(features.regions, regions.astype(np.float16).astype(np.float32))
            np.testing.assert_array_equal(features.times_s, np.arange(90) + 0.04)
            assert store.n_frames(video_id) == 90


def test_a_stretch_is_the_same_as_the_whole_cut(path: Path) -> None:
    with FeatureStore.open(path) as store:
        part, whole = store.read("b.mp4", 40, 71), store.read("b.mp4").window(40, 71)
    np.testing.assert_array_equal(part.regions, whole.regions)
    np.testing.assert_array_equal(part.times_s, whole.times_s)


def test_the_reference_tools_can_read_the_file(path: Path) -> None:
    with h5py.File(path) as file:
        features = file["a/deep/vidéo 1.mp4"][:]
    assert features.shape == (90, 9, 4)
    assert features.dtype == np.float16


def test_the_reference_files_can_be_read(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).standard_normal((5, 9, 4)).astype(np.float32)
    with h5py.File(tmp_path / "released.hdf5", "w") as file:
        file["regions32"] = frames
        file["regions16"] = frames.astype(np.float16)
        file["frames"] = frames[:, 0]
    with FeatureStore.open(tmp_path / "released.hdf5") as store:
        assert store.ids == ("frames", "regions16", "regions32")
        assert (store.fingerprint, store.metadata) == ("", {})
        np.testing.assert_array_equal(store.read("regions32").regions, frames)
        np.testing.assert_array_equal(store.read("frames").regions, frames[:, :1])
        assert store.read("regions16", 2).times_s.tolist() == [2, 3, 4]


def test_single_precision_can_be_asked_for(tmp_path: Path) -> None:
    writer = FeatureWriter(tmp_path / "f.h5", metadata={}, partial=tmp_path / "p", dtype="float32")
    writer.write("v", _chunks(0, 1))
    writer.finish(["v"])
    with FeatureStore.open(tmp_path / "f.h5") as store:
        np.testing.assert_array_equal(store.read("v").regions, next(_chunks(0))[0])


def test_the_bytes_depend_neither_on_order_nor_on_interruptions(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    first = FeatureWriter(other, metadata=dict(reversed(METADATA.items())), partial=tmp_path / "p")
    first.write("a/z.mp4", _chunks(3, 9, 10))  # the same frames in other chunks: replaced below
    first.write("a/z.mp4", _chunks(3))
    _write(other, tmp_path / "p", IDS[::-1])
    assert other.read_bytes() == path.read_bytes()


def test_a_killed_run_goes_on_and_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    """kill -9 in the middle of a video, and again in the middle of packing."""
    other, partial = tmp_path / "killed.h5", tmp_path / "killed"
    for where in ("chunk", "pack"):
        done = subprocess.run(
            [sys.executable, __file__, where, str(other), str(partial)],
            check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL
        assert not other.exists()
        writer = FeatureWriter(other, metadata=METADATA, partial=partial)
        assert [writer.done(i) for i in IDS] == (
            [True, False, False, False, False] if where == "chunk" else [True] * 5
        )
    _write(other, partial)
    assert other.read_bytes() == path.read_bytes()
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["features.h5", "killed", "killed.h5", "partial"]


def test_parts_of_other_settings_or_of_another_source_do_not_count(tmp_path: Path) -> None:
    settings = {"path": tmp_path / "f.h5", "partial": tmp_path / "p"}
    first = FeatureWriter(**settings, metadata={"a": "1"})  # type: ignore[arg-type]
    first.write("v", _chunks(0), source="s1")
    assert first.done("v", source="s1")
    assert not first.done("v", source="s2")
    assert not first.done("v")
    assert not FeatureWriter(**settings, metadata={"a": "2"}).done("v", source="s1")  # type: ignore[arg-type]
    assert not FeatureWriter(**settings, metadata={"a": "1"}).done("v", source="s1")  # type: ignore[arg-type]


def test_a_cut_part_does_not_count(tmp_path: Path) -> None:
    writer = FeatureWriter(tmp_path / "f.h5", metadata={}, partial=tmp_path / "p")
    writer.write("v", _chunks(0))
    (data,) = (tmp_path / "p").rglob("*.regions")
    data.write_bytes(data.read_bytes()[:-1])
    assert not writer.done("v")


def test_a_video_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[Float32Array, Float64Array]]:
        yield next(_chunks(0))
        raise VideoError("corrupt", "cut")

    writer = FeatureWriter(tmp_path / "f.h5", metadata={}, partial=tmp_path / "p")
    writer.write("v", _chunks(0))
    with pytest.raises(VideoError, match="corrupt"):
        writer.write("v", broken())
    assert not writer.done("v")
    with pytest.raises(MissingArtefactError):
        writer.finish(["v"])
    assert not (tmp_path / "f.h5").exists()


def test_features_that_are_no_features_are_refused(tmp_path: Path) -> None:
    writer = FeatureWriter(tmp_path / "f.h5", metadata={}, partial=tmp_path / "p")
    regions, times_s = next(_chunks(0))
    with pytest.raises(VideoError, match="no_frames"):
        writer.write("v", [])
    with pytest.raises(ValueError, match="NaN"):
        writer.write("v", [(regions * np.float32(np.nan), times_s)])
    with pytest.raises(ValueError, match="times"):
        writer.write("v", [(regions, times_s[1:])])
    with pytest.raises(ValueError, match="chunk"):
        writer.write("v", [(regions, times_s), (regions[:, :, 1:], times_s)])
    with pytest.raises(ValueError, match="reserved"):
        FeatureWriter(tmp_path / "f.h5", metadata={"format": "x"}, partial=tmp_path / "p")


@pytest.mark.parametrize("video_id", ["", "/a", "a//b", "./a", "a/./b", "a\0b", "_frame_times_s/a"])
def test_an_id_that_hdf5_would_read_otherwise_is_refused(tmp_path: Path, video_id: str) -> None:
    writer = FeatureWriter(tmp_path / "f.h5", metadata={}, partial=tmp_path / "p")
    with pytest.raises(ValueError, match="cannot be the id"):
        writer.write(video_id, _chunks(0))


@pytest.mark.parametrize("video_id", ["none.mp4", "a", "a/deep", "b.mp4/x"])
def test_a_video_that_is_not_there_is_named(path: Path, video_id: str) -> None:
    with FeatureStore.open(path) as store, pytest.raises(MissingArtefactError, match=video_id):
        store.read(video_id)


def test_a_missing_or_cut_file_is_named(path: Path) -> None:
    with pytest.raises(MissingArtefactError, match=r"none\.h5"):
        FeatureStore.open(path.with_name("none.h5"))
    whole = path.read_bytes()
    for keep in (0, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:keep])
        with pytest.raises(CorruptArtefactError, match=r"features\.h5"):
            FeatureStore.open(path)


def test_damaged_values_are_noticed_and_the_video_is_named(path: Path) -> None:
    with FeatureStore.open(path) as store:
        needle = store.read("b.mp4").regions[60].astype(np.float16).tobytes()
    whole = path.read_bytes()
    assert whole.count(needle) == 1
    path.write_bytes(whole.replace(needle, needle[:-1] + bytes([needle[-1] ^ 1])))
    with FeatureStore.open(path) as store:
        store.read("a/z.mp4")
        with pytest.raises(CorruptArtefactError, match=r"features\.h5.*b\.mp4"):
            store.read("b.mp4")


def test_altered_metadata_are_noticed(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["backbone"] = "other"
    with pytest.raises(CorruptArtefactError, match="metadata"):
        FeatureStore.open(path)


def _kill_in_the_middle(where: str, path: Path, partial: Path) -> None:
    """What the subprocess of the kill test runs."""

    def stop_after_a_chunk() -> Iterator[tuple[Float32Array, Float64Array]]:
        yield next(_chunks(1))
        os.kill(os.getpid(), signal.SIGKILL)

    writer = FeatureWriter(path, metadata=METADATA, partial=partial)
    if where == "chunk":
        writer.write(IDS[0], _chunks(0))
        writer.write(IDS[1], stop_after_a_chunk())
    for video_id in IDS:
        writer.write(video_id, _chunks(IDS.index(video_id)))
    pack, packed = FeatureWriter._pack, []

    def stop_after_two(self: FeatureWriter, file: h5py.File, video_id: str) -> None:
        pack(self, file, video_id)
        packed.append(video_id)
        if len(packed) == 2:
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    FeatureWriter._pack = stop_after_two  # type: ignore[method-assign]
    writer.finish(IDS)


if __name__ == "__main__":
    _kill_in_the_middle(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
