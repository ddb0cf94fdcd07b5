import json
from pathlib import Path

import pytest

from dns_core.errors import InputError
from dns_core.hashes.lists import read_list, write_list
from dns_core.hashes.signals import Signal
from dns_core.video.pdq import FrameHash

A, B = "0f" * 32, "a1" * 32
FRAMES = (FrameHash(A, 90, 0.0, 0), FrameHash(B, 80, 1.001, 30))
FEATURES = [f"{A},90,0.000", f"{B},80,1.001"]
UNNUMBERED = tuple(FrameHash(one.hex, one.quality, one.time_s) for one in FRAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"{A}\n{B.upper()}\n", [("l:1", "pdq", 100), ("l:2", "pdq", 100)], id="hashes alone"),
        pytest.param(
            f"{A},90,site/a b.jpg\n{B},80\n", [("site/a b.jpg", "pdq", 90), ("l:2", "pdq", 80)], id="csv"
        ),
        pytest.param(
            f"pdq {A}\nvpdq {json.dumps(FEATURES)}", [("l:1", "pdq", 100), ("l:2", "vpdq", 90)], id="lines"
        ),
        pytest.param(f'{A},7,2024-01-01T00:00:00,"x y"\n', [("7", "pdq", 100)], id="cache of the package"),
        pytest.param(json.dumps([A, B]), [("l:1", "pdq", 100), ("l:2", "pdq", 100)], id="JSON of hashes"),
        pytest.param(
            json.dumps({"data": [{"id": "12", "type": "HASH_PDQ", "indicator": A}], "paging": {}}),
            [("12", "pdq", 100)],
            id="the API",
        ),
        pytest.param(
            "\n".join(json.dumps({"id": n, "type": "HASH_PDQ", "indicator": A}) for n in "ab"),
            [("a", "pdq", 100), ("b", "pdq", 100)],
            id="JSON lines",
        ),
    ],
)
def test_the_forms_of_others_are_read(
    tmp_path: Path, text: str, expected: list[tuple[str, str, int]]
) -> None:
    (tmp_path / "l.txt").write_text(text)
    found = read_list(tmp_path / "l.txt")
    assert [(one.name, one.kind, one.frames[0].quality) for one in found.signals] == expected
    assert found.signals[0].frames[0].hex == A
    assert found.refused == []


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        pytest.param(f"0,90,{A},0.000\n30,80,{B},1.001\n", FRAMES, id="vpdq-hash-video"),
        pytest.param("\n".join(FEATURES), UNNUMBERED, id="python -m vpdq"),
        pytest.param(json.dumps(FEATURES), UNNUMBERED, id="features"),
        pytest.param(
            json.dumps(
                {
                    "0": {"quality": 90, "hash": A, "timestamp": 0.0},
                    "30": {"quality": 80, "hash": B, "timestamp": 1.001},
                }
            ),
            FRAMES,
            id="features by frame",
        ),
    ],
)
def test_a_file_of_one_video_is_one_entry(tmp_path: Path, text: str, frames: tuple[FrameHash, ...]) -> None:
    (tmp_path / "film.txt").write_text(text)
    assert read_list(tmp_path / "film.txt").signals == [Signal("film", frames)]


@pytest.mark.parametrize(("form", "names"), [("json", ["a/b.mp4", "c.png"]), ("txt", ["list:1", "list:2"])])
def test_what_is_written_is_read_again(tmp_path: Path, form: str, names: list[str]) -> None:
    path = tmp_path / f"list.{form}"
    write_list(path, [Signal("a/b.mp4", UNNUMBERED), Signal("c.png", (FrameHash(A),), "pdq")])
    found = read_list(path)
    expected = [(names[0], UNNUMBERED, "vpdq"), (names[1], (FrameHash(A),), "pdq")]
    assert [(one.name, one.frames, one.kind) for one in found.signals] == expected


def test_what_is_no_hash_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text(f"hash,quality,name\n{A},90,a\n{A[:-1]},90,b\n{B},101,c\nvpdq [1\n{B},80,d\n")
    found = read_list(path)
    assert [one.name for one in found.signals] == ["a", "d"]
    assert [reason.partition(": ")[0].rpartition(" ")[2] for reason in found.refused] == ["1", "3", "4", "5"]
    assert "64 hexadecimal digits" in found.refused[1]


@pytest.mark.parametrize(
    "content", [b"", b"no hash here", b"{}", b"\xff\xd8\xff", b'{"data": 3}', b"[null, 3]"]
)
def test_a_file_without_a_hash_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "l.json").write_bytes(content)
    with pytest.raises(InputError, match="expected"):
        read_list(tmp_path / "l.json")


def test_only_forms_of_others_are_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.txt, \.json"):
        write_list(tmp_path / "l.csv", [])
