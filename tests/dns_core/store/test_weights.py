import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.store.weights import Arrays, read_weights, save_weights

TENSORS: Arrays = {
    "b": np.arange(6.0, dtype=np.float32).reshape(2, 3).T,  # not contiguous
    "a": np.array([1, 2], dtype=np.int64),
    "half": np.ones(3, dtype=np.float16),
    "number": np.array(3, dtype=np.int64),
    "empty": np.zeros((0, 4), dtype=np.float32),
}


def test_tensors_and_metadata_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, TENSORS, {"made": "today", "é": "ü"})
    tensors, metadata = read_weights(path)
    assert metadata == {"made": "today", "é": "ü"}
    assert set(tensors) == set(TENSORS)
    for name, tensor in tensors.items():
        assert tensor.dtype == TENSORS[name].dtype
        np.testing.assert_array_equal(tensor, TENSORS[name])
        assert tensor.shape == TENSORS[name].shape


def test_other_software_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, TENSORS, {"x": "y"})
    np.testing.assert_array_equal(safetensors.torch.load_file(path)["b"].numpy(), TENSORS["b"])


def test_a_file_of_other_software_is_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    safetensors.torch.save_file({"a": torch.ones(2)}, path)
    assert read_weights(path)[1] == {}


def test_numbers_that_numpy_does_not_know_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    safetensors.torch.save_file({"a": torch.ones(2, dtype=torch.bfloat16)}, path)
    with pytest.raises(CorruptArtefactError, match=r"w\.safetensors"):
        read_weights(path)


def test_tensors_that_share_memory_are_written(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    tied = np.ones(4)
    save_weights(path, {"a": tied, "b": tied[:2]}, {})
    assert read_weights(path)[0]["b"].tolist() == [1, 1]


def test_equal_content_gives_equal_bytes_in_every_process(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from pathlib import Path; from dns_core.store.weights import save_weights\n"
        "save_weights(Path(sys.argv[1]), {c: np.ones(2) for c in 'zyx'}, {c: c for c in 'abcdefgh'})\n"
    )
    other, here = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    subprocess.run([sys.executable, "-c", code, str(other)], check=True)
    save_weights(here, {c: np.ones(2) for c in "xyz"}, {c: c for c in "hgfedcba"})
    assert other.read_bytes() == here.read_bytes()


@pytest.mark.parametrize("keep", [0, 3, 40, -1])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, TENSORS, {})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CorruptArtefactError, match=r"w\.safetensors"):
        read_weights(path)


def test_altered_data_or_metadata_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, {"a": np.ones(4, dtype=np.float32)}, {"model": "one"})
    whole = path.read_bytes()
    for altered in (whole[:-1] + b"\x01", whole.replace(b'"one"', b'"two"')):
        assert altered != whole
        path.write_bytes(altered)
        with pytest.raises(CorruptArtefactError, match="altered"):
            read_weights(path)


def test_a_missing_file_and_the_reserved_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError, match=r"none\.safetensors"):
        read_weights(tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match="reserved"):
        save_weights(tmp_path / "w.safetensors", {}, {"content_sha256": "0"})
