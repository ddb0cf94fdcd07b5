import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dns_core.errors import CorruptArtefactError
from dns_core.index import EncodedVideo, Origin, add_videos, build_index, index_info, open_index, verify_index
from dns_core.store.fingerprints import fingerprint_json

RecordMaker = Callable[..., EncodedVideo]


@pytest.fixture
def built(tmp_path: Path, make_record: RecordMaker, origin: Origin) -> Path:
    build_index(tmp_path, [make_record("a"), make_record("b", 7)], origin)
    return tmp_path


def test_a_whole_index_verifies(built: Path) -> None:
    assert verify_index(built) == open_index(built).manifest


def test_info_counts_what_is_there(built: Path, make_record: RecordMaker, origin: Origin) -> None:
    add_videos(built, [make_record("c", 2)], models=origin.models)
    info = index_info(built)
    assert (info.n_videos, info.n_chunks, info.n_frames, info.n_removed) == (3, 3, 14, 0)
    files = [f for f in (built / "versions" / "2").rglob("*") if f.is_file() and f.name != "manifest.json"]
    assert info.n_bytes == sum(file.stat().st_size for file in files)


def files_of(path: Path) -> list[str]:
    return sorted(file.name for file in (path / "versions" / "1" / "shard-000001").iterdir())


def test_any_changed_byte_is_found_and_its_file_named(built: Path) -> None:
    assert len(files_of(built)) == 11
    for name in files_of(built):
        file = built / "versions" / "1" / "shard-000001" / name
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(CorruptArtefactError, match=name):
            verify_index(built)
        file.write_bytes(whole)
    verify_index(built)


@pytest.mark.parametrize("damage", ["truncated", "missing"])
def test_a_file_that_is_not_whole_is_noticed_on_opening(built: Path, damage: str) -> None:
    file = built / "versions" / "1" / "shard-000001" / "coarse.npy"
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(CorruptArtefactError, match=r"coarse\.npy"):
        open_index(built)


def test_an_altered_manifest_is_refused(built: Path) -> None:
    path = built / "versions" / "1" / "manifest.json"
    signed = json.loads(path.read_text())
    signed["manifest"]["models"]["coarse"] = "c2"
    path.write_text(json.dumps(signed))
    with pytest.raises(CorruptArtefactError, match="was altered"):
        open_index(built)
    for content in ("{}", "[]", '{"manifest": {}, "fingerprint": "44136fa355b3678a"}', "{"):
        path.write_text(content)
        with pytest.raises(CorruptArtefactError, match=r"manifest\.json"):
            open_index(built)


def test_an_index_of_another_format_is_to_be_built_again(built: Path) -> None:
    path = built / "versions" / "1" / "manifest.json"
    manifest = json.loads(path.read_text())["manifest"] | {"format": 1}
    path.write_text(json.dumps({"manifest": manifest, "fingerprint": fingerprint_json(manifest)}))
    with pytest.raises(CorruptArtefactError, match="is of format 1, expected 2: build the index again"):
        open_index(built)


def test_a_missing_version_is_corruption_not_absence(built: Path) -> None:
    (built / "CURRENT").write_text("7\n")
    with pytest.raises(CorruptArtefactError, match="version 7"):
        open_index(built)
