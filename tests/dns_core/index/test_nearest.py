from pathlib import Path

import numpy as np
import pytest

from dns_core.index import Origin, add_videos, build_index, compact_index, nearest, open_index, remove_videos
from dns_core.index.nearest import ChunkCodes, write_codes
from dns_core.records import Float32Array
from tests.dns_core.index.conftest import RecordMaker

IDS = [f"v{number:03d}" for number in range(300)]


def scenes(n_scenes: int, n_each: int, spread: float) -> Float32Array:
    """Unit vectors that lie around some centres, one centre after the other."""
    rng = np.random.default_rng(3)
    centres = np.repeat(rng.standard_normal((n_scenes, 64)), n_each, axis=0)
    vectors = centres + spread * rng.standard_normal(centres.shape)
    unit: Float32Array = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_the_nearest_are_among_a_tenth_of_all(tmp_path: Path) -> None:
    vectors = scenes(100, 40, 0.6)
    write_codes(tmp_path / "codes", vectors)
    codes = ChunkCodes(tmp_path / "codes")
    found = 0
    for query in vectors[::80]:
        rows = codes.nearest(query[None], 400)
        assert (np.diff(rows) > 0).all()
        found += np.isin(np.argsort(-vectors @ query)[:20], rows).sum()
    assert found / (20 * len(vectors[::80])) >= 0.95


def test_equal_vectors_give_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_codes(tmp_path / name, scenes(20, 20, 0.6))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.fixture
def index_path(
    tmp_path: Path, make_record: RecordMaker, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An index of a shard with codes and a small one without, of which some videos were removed."""
    monkeypatch.setattr(nearest, "LEAST_CHUNKS", 200)
    path = tmp_path / "index"
    build_index(path, (make_record(name) for name in IDS[:250]), origin)
    add_videos(path, (make_record(name, 300) for name in IDS[250:]), models=origin.models)
    remove_videos(path, [IDS[3], IDS[260]])
    return path


def test_the_nearest_videos_of_all_shards_are_found_and_no_removed_one(index_path: Path) -> None:
    index = open_index(index_path)
    has_codes = [nearest.FILE in entry.files for entry in index.manifest.shards]
    assert has_codes == [True, False]
    for video in (IDS[7], IDS[255]):
        row = index.ids.index(video)
        query = index.record(row).coarse[:1]
        rows = index.nearest(query, 40)
        assert row in rows
        assert 41 <= len(rows) <= 80
        assert (np.diff(rows) > 0).all()
    everything = index.nearest(query, 1000)
    np.testing.assert_array_equal(everything, np.arange(298))


def test_scores_of_some_chunks_are_those_of_all(index_path: Path) -> None:
    index = open_index(index_path)
    query = index.record(0).coarse
    whole = index.coarse_scores(query)
    rows = np.array([0, 4, 249, 251, 297])
    chunks, offsets = index.chunks_of(rows)
    assert offsets.tolist() == [0, 1, 2, 4, 6, 8]
    expected = np.concatenate([np.arange(*index.chunk_offsets[row : row + 2]) for row in rows])
    np.testing.assert_array_equal(chunks, expected)
    np.testing.assert_array_equal(index.coarse_scores(query, chunks), whole[:, chunks])


def test_compaction_makes_the_codes_anew(index_path: Path) -> None:
    compact_index(index_path)
    index = open_index(index_path)
    assert nearest.FILE in index.manifest.shards[0].files
    np.testing.assert_array_equal(index.nearest(index.record(5).coarse, 1000), np.arange(298))
