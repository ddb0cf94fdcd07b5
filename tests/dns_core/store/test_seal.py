"""Whatever single bit is flipped, a sealed file says so."""

from pathlib import Path

import pytest

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.retrieval.bundle import SHIPPED_MODELS
from dns_core.runtime.graph import Graph
from dns_core.store.atomic import write_json
from dns_core.store.seal import SEAL, check_seal, read_sealed_json, sealed, write_sealed_json

VALUE = {"format": 3, "thresholds": {"fine": 0.25}, "after": [1.5, None, "text"]}


def test_a_sealed_value_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed_json(path, VALUE)
    assert read_sealed_json(path) == VALUE
    first = path.read_bytes()
    write_sealed_json(path, VALUE)
    assert path.read_bytes() == first
    with pytest.raises(MissingArtefactError):
        read_sealed_json(tmp_path / "b.json")


def test_each_flipped_bit_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_sealed_json(path, VALUE)
    content = path.read_bytes()
    name = content.index(SEAL.encode())
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        if name <= place < name + len(SEAL):
            continue  # the name of the digest itself: the value is whole
        with pytest.raises(CorruptArtefactError, match=r"a\.json"):
            read_sealed_json(path)


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, VALUE)
    check_seal(path)
    assert read_sealed_json(path) == VALUE
    with pytest.raises(ValueError, match="expected a blank"):
        sealed(b"{}")


@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.8, 0.999])
def test_a_flipped_bit_of_a_graph_is_no_other_score(tmp_path: Path, share: float) -> None:
    content = bytearray((SHIPPED_MODELS / "coarse.onnx").read_bytes())
    content[int(share * len(content))] ^= 4
    (tmp_path / "coarse.onnx").write_bytes(content)
    with pytest.raises(CorruptArtefactError, match=r"coarse\.onnx was altered"):
        Graph(tmp_path / "coarse.onnx")


def test_all_that_is_shipped_is_sealed() -> None:
    for path in [*SHIPPED_MODELS.glob("*.onnx"), *SHIPPED_MODELS.glob("*.json")]:
        assert SEAL.encode() in path.read_bytes(), path.name
        check_seal(path)
