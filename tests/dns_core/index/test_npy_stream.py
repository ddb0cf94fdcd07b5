from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError
from dns_core.index.npy_stream import NpyStream, map_npy


def test_what_is_streamed_is_what_numpy_would_save(tmp_path: Path) -> None:
    whole = np.arange(1200, dtype=np.float32).reshape(-1, 3)
    with NpyStream(tmp_path / "a.npy") as stream:
        for start in range(0, 400, 7):
            stream.append(whole[start : start + 7])
    np.save(tmp_path / "b.npy", whole)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    mapped = map_npy(tmp_path / "a.npy")
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, whole)


def test_rows_of_another_shape_or_type_are_refused(tmp_path: Path) -> None:
    with NpyStream(tmp_path / "a.npy") as stream:
        stream.append(np.zeros((2, 3), dtype=np.float32))
        with pytest.raises(InputError, match=r"a\.npy holds rows of float32\[3\], got float32\[4\]"):
            stream.append(np.zeros((2, 4), dtype=np.float32))
        with pytest.raises(InputError, match="float64"):
            stream.append(np.zeros((2, 3)))


def test_a_file_that_is_not_whole_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with pytest.raises(MissingArtefactError, match=r"a\.npy"):
        map_npy(path)
    np.save(path, np.arange(100))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CorruptArtefactError, match=r"a\.npy"):
        map_npy(path)
    path.write_bytes(b"")
    with pytest.raises(CorruptArtefactError, match=r"a\.npy"):
        map_npy(path)
