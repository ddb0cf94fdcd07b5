"""Hashes, their text and what they find are those of ThreatExchange (tests/golden/make_hashes.py)."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dns_core.hashes.kept import hash_files
from dns_core.hashes.matching import HashSearch, Rule
from dns_core.hashes.signals import Signal
from dns_core.ports import SilentProgress
from dns_core.video.pdq import FrameHash
from tests.oracles.drawn_pictures import N_PICTURES, write_pictures

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "pdq"
REFERENCE: dict[str, Any] = json.loads((GOLDEN / "reference.json").read_text())
CLIPS = {
    name: Signal(
        name, tuple(FrameHash(digits, quality, time_s, frame) for frame, quality, digits, time_s in rows)
    )
    for name, rows in REFERENCE["clips"].items()
}
with_pdqhash = pytest.mark.skipif(
    find_spec("pdqhash") is None, reason="pdqhash is not installed: pip install '.[hashes]'"
)


@with_pdqhash
def test_pictures_have_the_hashes_of_the_reference(tmp_path: Path) -> None:
    paths = write_pictures(tmp_path)
    done = hash_files([(path.name, path) for path in paths], SilentProgress())
    found = {signal.name: [signal.frames[0].hex, signal.frames[0].quality] for signal in done.signals}
    assert len(found) == N_PICTURES
    assert {signal.kind for signal in done.signals} == {"pdq"}
    assert found == REFERENCE["pictures"]


@with_pdqhash
def test_clips_have_the_hashes_of_the_reference(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    named = [(path.name, path) for path in [*sorted(GOLDEN.glob("*.mp4")), tmp_path / "text.mp4"]]
    done = hash_files(named, SilentProgress())
    assert {signal.name: signal for signal in done.signals} == CLIPS
    assert len(CLIPS) == 10
    assert [row.video_id for row in done.refused] == ["text.mp4"]


def test_the_text_of_a_video_holds_what_the_reference_writes() -> None:
    ours, theirs = json.loads(CLIPS["0.mp4"].text), json.loads(REFERENCE["list"])
    assert [feature.split(",")[:2] for feature in ours] == [feature.split(",")[:2] for feature in theirs]
    times = [[float(feature.split(",")[2]) for feature in one] for one in (ours, theirs)]
    assert times[0] == pytest.approx(
        times[1], abs=0.005
    )  # they round to three digits in all, we behind the point


def test_shares_are_those_of_the_reference() -> None:
    search = HashSearch(list(CLIPS.values()), Rule(share=0.0))
    found = {
        (name, match.target): [100 * match.query_share, 100 * match.target_share]
        for name, clip in CLIPS.items()
        for match in search.matches(clip)
    }
    expected = {(a, b): pytest.approx(shares) for a, b, *shares in REFERENCE["shares"] if any(shares)}
    assert found == expected
    assert len(expected) > len(CLIPS), "some differ and are found"
