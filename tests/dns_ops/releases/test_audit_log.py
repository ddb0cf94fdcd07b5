"""A history is added to, and a change of what stands in it is noticed."""

from pathlib import Path

import pytest

from dns_core.errors import CorruptArtefactError
from dns_ops.releases.audit_log import append_row, read_rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "history.jsonl"
    for number in range(3):
        append_row(path, {"number": number})
    return path


def test_rows_come_back_in_order(path: Path) -> None:
    assert [row["number"] for row in read_rows(path)] == [0, 1, 2]
    assert read_rows(path.with_name("none")) == []


@pytest.mark.parametrize("kept", [(1, 2), (0, 2), (0, 1, 1), (1, 0, 2)])
def test_rows_that_are_missing_or_moved_are_noticed(path: Path, kept: tuple[int, ...]) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[number] for number in kept))
    with pytest.raises(CorruptArtefactError, match=r"line \d"):
        read_rows(path)
    with pytest.raises(CorruptArtefactError):
        append_row(path, {"number": 3})


def test_an_altered_row_is_noticed(path: Path) -> None:
    path.write_text(path.read_text().replace('"number": 1', '"number": 7'))
    with pytest.raises(CorruptArtefactError, match="line 3"):
        read_rows(path)


def test_a_row_with_a_flipped_bit_is_noticed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b"1")] ^= 0x80
    path.write_bytes(content)
    with pytest.raises(CorruptArtefactError, match="line 2"):
        read_rows(path)
