from pathlib import Path

import pytest

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.ports import SilentProgress
from dns_core.training.batches import FeatureSet
from dns_core.training.mining import PoolConfig, mine_pairs, read_table, write_table

CONFIG = PoolConfig(excerpts=0, near=3, far=2, seed=5)


def test_the_near_pool_begins_with_what_shares_footage(corpus: FeatureSet, sources: tuple[str, ...]) -> None:
    pairs = mine_pairs(corpus, sources, CONFIG, SilentProgress())
    nearest = next(pair for pair in pairs if pair.anchor == "v4.mp4")
    assert (nearest.target, nearest.pool) == ("v5.mp4", "near")


def test_pools_have_their_sizes_and_never_overlap(corpus: FeatureSet, sources: tuple[str, ...]) -> None:
    pairs = mine_pairs(corpus, sources, CONFIG, SilentProgress())
    for anchor in sources:
        near = {pair.target for pair in pairs if pair.anchor == anchor and pair.pool == "near"}
        far = {pair.target for pair in pairs if pair.anchor == anchor and pair.pool == "far"}
        assert (len(near), len(far)) == (3, 2)
        assert not near & far
        assert anchor not in near | far


def test_draws_repeat_and_follow_the_seed(corpus: FeatureSet, sources: tuple[str, ...]) -> None:
    again = mine_pairs(corpus, sources, CONFIG, SilentProgress())
    assert again == mine_pairs(corpus, sources, CONFIG, SilentProgress())
    other = mine_pairs(corpus, sources, CONFIG.model_copy(update={"seed": 6}), SilentProgress())
    assert again != other


def test_excerpts_are_anchors_and_never_meet_what_they_were_cut_from(
    corpus: FeatureSet, sources: tuple[str, ...]
) -> None:
    ids = [*sources, *(f"{video_id}#0" for video_id in sources)]
    with_excerpts = CONFIG.model_copy(update={"excerpts": 2})
    pairs = mine_pairs(corpus, ids, with_excerpts, SilentProgress())
    anchors = {pair.anchor for pair in pairs}
    excerpts = {anchor for anchor in anchors if "@" in anchor}
    assert anchors - excerpts == set(ids)
    assert {anchor.split("@")[0] for anchor in excerpts} == set(ids)
    assert {pair.target for pair in pairs} <= set(ids)
    assert all(pair.anchor.split("@")[0] != pair.target for pair in pairs)
    own_copy = [p for p in pairs if p.anchor.startswith("v4.mp4@") and p.pool == "near"]
    assert "v4.mp4#0" in {pair.target for pair in own_copy}


def test_a_table_comes_back(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {"anchor": ["a/ü.mp4", "b\n.mp4"], "similarity": [0.5, -1.0]}
    write_table(tmp_path / "pairs.parquet", columns)
    assert read_table(tmp_path / "pairs.parquet") == columns


def test_no_table_and_a_broken_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError, match=r"none\.parquet"):
        read_table(tmp_path / "none.parquet")
    (tmp_path / "half.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorruptArtefactError, match=r"half\.parquet"):
        read_table(tmp_path / "half.parquet")
