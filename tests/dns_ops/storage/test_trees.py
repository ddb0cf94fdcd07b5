"""A version is public whole or not at all, and comes down as it went up."""

import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.index import EncodedVideo, Origin, build_index, verify_index
from dns_core.ports import SilentProgress
from dns_core.store.feature_store import FeatureWriter
from dns_core.store.weights import save_weights
from dns_ops.storage.blobs import read_object
from dns_ops.storage.bucket import Bucket
from dns_ops.storage.trees import playback_url, pull_tree, push_tree, read_tree

QUIET = SilentProgress()


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_a_folder_comes_down_as_it_went_up_and_only_what_is_new_moves(bucket: Bucket, tmp_path: Path) -> None:
    here, there = write(tmp_path / "here", a="1", deep__b="2", deep__c="2"), tmp_path / "there"
    first, moved = push_tree(bucket, "models", here, QUIET)
    assert moved == 2
    write(here, a="3")
    _, moved = push_tree(bucket, "models", here, QUIET)
    assert moved == 1
    write(there, old="gone", a="1")
    pull_tree(bucket, "models", there, QUIET)
    assert contents(there) == {"a": "3", "deep/b": "2", "deep/c": "2"}
    pull_tree(bucket, "models", there, QUIET, first.version)
    assert contents(there)["a"] == "1"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_of_an_index_only_the_version_in_use_goes_up(bucket: Bucket, tmp_path: Path) -> None:
    index = tmp_path / "index"
    for _ in range(2):
        build_index(index, [], Origin({}))
    assert sorted(path.name for path in (index / "versions").iterdir()) == ["1", "2"]
    push_tree(bucket, "index", index, QUIET)
    pull_tree(bucket, "index", tmp_path / "there", QUIET)
    assert sorted(contents(tmp_path / "there")) == ["CURRENT", "versions/2/manifest.json"]
    verify_index(tmp_path / "there")


def test_damage_is_not_published(bucket: Bucket, tmp_path: Path) -> None:
    weights, features, index = (tmp_path / name for name in ("weights", "features", "index"))
    save_weights(weights / "a.safetensors", {"w": np.ones(9)}, {})
    writer = FeatureWriter(features / "train.hdf5", metadata={}, partial=tmp_path / "parts")
    regions = np.random.default_rng(0).random((40, 9, 64), dtype=np.float32)
    writer.write("a.mp4", [(regions, np.arange(40.0))])
    writer.finish(["a.mp4"])
    record = EncodedVideo("a", "a", np.arange(9.0), np.array([[0, 9]]), np.ones((1, 1), dtype=np.float32))
    build_index(index, [record], Origin({}))
    damaged = {
        "models": (weights, weights / "a.safetensors"),
        "features": (features, features / "train.hdf5"),
        "index": (index, index / "versions" / "1" / "shard-000001" / "times_s.npy"),
    }
    for kind, (folder, file) in damaged.items():
        push_tree(bucket, kind, folder, QUIET)
        pointer = read_object(bucket, f"{kind}/current.json")
        content = bytearray(file.read_bytes())
        content[len(content) * 3 // 4] ^= 4
        file.write_bytes(content)
        with pytest.raises(CorruptArtefactError, match=file.name):
            push_tree(bucket, kind, folder, QUIET)
        assert read_object(bucket, f"{kind}/current.json") == pointer


def test_a_reader_during_publishing_gets_the_version_before(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = push_tree(bucket, "models", write(tmp_path / "a", m="1", deep__x="old"), QUIET)[0]
    put, seen = bucket.client.put_object, []

    def watched(**arguments: Any) -> Any:
        seen.append(read_tree(bucket, "models").version)
        return put(**arguments)

    monkeypatch.setattr(bucket.client, "put_object", watched)
    new = push_tree(bucket, "models", write(tmp_path / "b", m="2", deeper__x="new"), QUIET)[0]
    assert len(seen) == 4
    assert set(seen) == {old.version}
    assert read_tree(bucket, "models").version == new.version


def test_a_push_that_stops_changes_nothing_for_readers(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = push_tree(bucket, "models", write(tmp_path / "a", x="old"), QUIET)[0]
    put = bucket.client.put_object

    def stopped(**arguments: Any) -> Any:
        if arguments["Key"].startswith("models/"):
            raise KeyboardInterrupt
        return put(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(bucket.client, "put_object", stopped)
        with pytest.raises(KeyboardInterrupt):
            push_tree(bucket, "models", write(tmp_path / "a", x="new"), QUIET)
    assert read_tree(bucket, "models").version == old.version
    assert push_tree(bucket, "models", tmp_path / "a", QUIET)[1] == 0


def test_nothing_changes_if_the_bucket_lacks_the_version_or_was_altered(
    bucket: Bucket, tmp_path: Path
) -> None:
    there = write(tmp_path / "there", kept="kept")
    with pytest.raises(MissingArtefactError):
        pull_tree(bucket, "models", there, QUIET)
    tree = push_tree(bucket, "models", write(tmp_path / "a", x="1"), QUIET)[0]
    bucket.client.put_object(Bucket=bucket.name, Key=f"models/{tree.version}.json", Body=b'{"../x": "0"}')
    with pytest.raises(CorruptArtefactError):
        pull_tree(bucket, "models", there, QUIET)
    assert contents(there) == {"kept": "kept"}


def test_an_address_plays_one_video(bucket: Bucket, tmp_path: Path) -> None:
    push_tree(bucket, "videos", write(tmp_path, train__a="film"), QUIET)
    url = playback_url(bucket, "train/a", 60)
    assert "very-secret" not in url
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - the address was made here
        assert answer.read() == b"film"
    with pytest.raises(MissingArtefactError, match="train/b"):
        playback_url(bucket, "train/b", 60)
