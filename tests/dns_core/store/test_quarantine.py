from pathlib import Path

import pytest

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.records import Quarantined
from dns_core.store.quarantine import read_quarantine, write_quarantine


def test_rows_are_read_back_by_video_id(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.json"
    rows = [Quarantined("b\n.mp4", "corrupt", "cut at 3 s"), Quarantined("a/é.mp4", "empty", "0 bytes")]
    write_quarantine(path, rows)
    assert read_quarantine(path) == rows[::-1]


def test_an_empty_list_is_written_as_such(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.json"
    write_quarantine(path, [])
    assert read_quarantine(path) == []


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 9, "quarantined": []}', '{"format": 1, "quarantined": [{}]}']
)
def test_another_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "quarantine.json"
    with pytest.raises(MissingArtefactError, match=r"quarantine\.json"):
        read_quarantine(path)
    path.write_text(text)
    with pytest.raises(CorruptArtefactError, match=r"quarantine\.json"):
        read_quarantine(path)
