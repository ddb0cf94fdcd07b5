import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.store.atomic import atomic_file, atomic_folder, read_json, write_json


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def _write_half_and_raise(path: Path, error: type[BaseException]) -> None:
    path.write_bytes(b"half")
    raise error


def test_a_file_appears_only_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "clip.mp4"
    with atomic_file(path) as temporary:
        temporary.write_bytes(b"new")
        assert not path.exists()
        assert temporary.suffix == ".mp4"
        assert temporary.name.startswith(".")
    assert path.read_bytes() == b"new"
    assert _names(path.parent) == ["clip.mp4"]


@pytest.mark.parametrize("kind", [atomic_file, atomic_folder])
def test_a_full_disk_says_what_could_not_be_written(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "versions" / "7"
    with pytest.raises(OSError, match="No space left") as full, kind(path):
        raise OSError(errno.ENOSPC, "No space left on device")  # as writers of arrays do: it names no file
    assert full.value.filename == str(path)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_or_an_interrupt_leaves_the_old_file_and_no_other(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(error), atomic_file(path) as temporary:
        _write_half_and_raise(temporary, error)
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["a.bin"]


def test_a_name_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    with atomic_file(path) as temporary:
        temporary.write_bytes(b"1")
    assert path.read_bytes() == b"1"


def test_a_killed_writer_leaves_the_old_file_and_the_next_writer_sweeps_up(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    code = (
        "import os, signal, sys; from pathlib import Path; from dns_core.store.atomic import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as t:\n"
        "    t.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    assert path.read_bytes() == b"old"
    assert len(_names(tmp_path)) == 2
    with atomic_file(path) as temporary:
        temporary.write_bytes(b"new")
    assert _names(tmp_path) == ["a.bin"]
    assert path.read_bytes() == b"new"


def test_a_living_writer_is_not_swept(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with atomic_file(path) as first:
        first.write_bytes(b"first")
        with atomic_file(path) as second:
            second.write_bytes(b"second")
        assert first.exists()
    assert path.read_bytes() == b"first"


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    for content in ("old", "new"):
        with atomic_folder(path) as temporary:
            (temporary / "sub").mkdir()
            (temporary / "sub" / content).write_text(content)
    assert [p.name for p in path.rglob("*")] == ["sub", "new"]
    with pytest.raises(KeyError), atomic_folder(path) as temporary:
        _write_half_and_raise(temporary / "half", KeyError)
    assert [p.name for p in path.rglob("*")] == ["sub", "new"]
    assert _names(tmp_path) == ["bundle"]


def test_json_is_read_back_and_the_order_of_keys_is_no_matter(tmp_path: Path) -> None:
    value = {"b": [1, 2.5, None], "a": "vidéo \udcff"}
    write_json(tmp_path / "1.json", value)
    write_json(tmp_path / "2.json", dict(sorted(value.items())))
    assert read_json(tmp_path / "1.json") == value
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


def test_json_that_cannot_be_written_or_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"score": float("nan")})
    with pytest.raises(MissingArtefactError, match=r"a\.json"):
        read_json(path)
    path.write_text("{")
    with pytest.raises(CorruptArtefactError, match=r"a\.json"):
        read_json(path)
