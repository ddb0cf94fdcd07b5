"""All pairs of an archive that show the same, from shortlists, once each, with a journal to go on from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dns_core.errors import MismatchError
from dns_core.index import Index, build_index, open_index
from dns_core.ports import SilentProgress
from dns_core.records import VideoFeatures, VideoProbe
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.duplicates import Asked, Found, find_duplicates
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.engine import Engine

MakeFeatures = Callable[[str, int], VideoFeatures]
KNOWN = {("film", "film again"), ("film", "part"), ("other", "other again")}


def noisy(video: VideoFeatures, video_id: str, start: int = 0, stop: int | None = None) -> VideoFeatures:
    """A degraded copy of a stretch of a video."""
    rng = np.random.default_rng(len(video_id))
    regions = video.regions[start:stop] + 0.02 * rng.normal(size=video.regions[start:stop].shape)
    regions = (regions / np.linalg.norm(regions, axis=-1, keepdims=True)).astype(np.float32)
    return VideoFeatures(video_id, regions, np.arange(len(regions), dtype=np.float64))


def probe_of(video: VideoFeatures, sha256: str) -> VideoProbe:
    return VideoProbe(video.video_id, float(video.n_frames), 1.0, 64, 48, "h264", 0, 100, sha256)


@pytest.fixture
def archive(bundle: Bundle, make_features: MakeFeatures, tmp_path: Path) -> Index:
    """Two videos with copies, an excerpt, equal files, and unrelated videos."""
    film, other = make_features("film", 14), make_features("other", 9)
    videos = [
        noisy(film, "film again"), film, noisy(film, "part", 3, 9), other, noisy(other, "other again"),
        VideoFeatures("same file", other.regions, other.times_s),
        VideoFeatures("same pictures", other.regions, other.times_s),
        *(make_features(f"unrelated {n}", 8) for n in range(12)),
    ]  # fmt: skip
    encoder = VideoEncoder(bundle)
    digests = {"other": "o", "same file": "o"}
    records = (encoder.encode(v, probe_of(v, digests.get(v.video_id, v.video_id))) for v in videos)
    build_index(tmp_path / "archive", records, encoder.origin)
    return open_index(tmp_path / "archive")


def search(engine: Engine, folder: Path, shortlist: int = 4, **more: Any) -> Found:
    asked = Asked(min_score=0.0, shortlist=shortlist)
    return find_duplicates(engine, asked, folder / "journal.jsonl", SilentProgress(), **more)


def test_known_pairs_stand_before_all_others(bundle: Bundle, archive: Index, tmp_path: Path) -> None:
    found = search(Engine(archive, bundle), tmp_path)
    equal = [pair for pair in found.pairs if pair.score == 1.0 and "same" in pair.second]
    assert {(p.first, p.second, p.kind) for p in equal} == {
        ("other", "same file", "identical"),
        ("other", "same pictures", "copy"),
    }
    near = [pair for pair in found.pairs if pair not in equal]
    assert {(pair.first, pair.second) for pair in near[: len(KNOWN)]} == KNOWN
    assert len({(pair.first, pair.second) for pair in near}) == len(near)
    assert all(pair.first < pair.second for pair in near)
    kinds = {(pair.first, pair.second): pair.kind for pair in near}
    assert kinds["film", "film again"] == "copy"
    assert kinds["film", "part"] == "contains"
    excerpt = next(pair for pair in near if (pair.first, pair.second) == ("film", "part"))
    assert excerpt.segments[0].query_start_s == pytest.approx(3, abs=1)
    for pair in near:
        lengths = {video_id: archive.record(row).n_frames for row, video_id in enumerate(archive.ids)}
        assert all(s.query_end_s <= lengths[pair.first] for s in pair.segments)
        assert all(s.target_end_s <= lengths[pair.second] for s in pair.segments)


def test_few_pairs_are_compared(bundle: Bundle, archive: Index, tmp_path: Path) -> None:
    engine = Engine(archive, bundle)
    asked: list[int] = []
    compare = engine.fine_scores

    def counting(query: Any, rows: Any, **options: Any) -> Any:
        asked.append(len(rows))
        return compare(query, rows, **options)

    engine.fine_scores = counting  # type: ignore[method-assign]
    found = search(engine, tmp_path, shortlist=2)
    assert sum(asked) == found.n_compared
    assert len(asked) == archive.n_videos - 2  # equal contents are looked at once


def test_an_interrupted_search_goes_on(
    bundle: Bundle, archive: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = search(Engine(archive, bundle), tmp_path / "whole")
    engine = Engine(archive, bundle)
    compare, n_calls = Engine.fine_scores, 0

    def interrupted(self: Engine, *arguments: Any, **options: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 7:
            raise KeyboardInterrupt
        return compare(self, *arguments, **options)

    monkeypatch.setattr(Engine, "fine_scores", interrupted)
    with pytest.raises(KeyboardInterrupt):
        search(engine, tmp_path)
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('{"row": 9, "pairs": [')  # the machine stopped in the middle of a line
    n_calls = 100
    found = search(engine, tmp_path)
    assert (found.pairs, found.n_compared) == (whole.pairs, whole.n_compared)
    assert n_calls == 100 + archive.n_videos - 2 - 6
    search(engine, tmp_path)
    assert n_calls == 100 + archive.n_videos - 2 - 6  # another report compares nothing
    search(engine, tmp_path, shortlist=3)
    assert n_calls > 110  # another question does


def test_one_archive_against_another(
    bundle: Bundle, archive: Index, make_features: MakeFeatures, other_bundle: Bundle, tmp_path: Path
) -> None:
    film = make_features("film", 14)
    encoder = VideoEncoder(bundle)
    videos = [noisy(film, "mine"), make_features("other", 9), make_features("my own", 9)]
    build_index(tmp_path / "mine", (encoder.encode(video) for video in videos), encoder.origin)
    mine = open_index(tmp_path / "mine")
    found = search(Engine(archive, bundle), tmp_path, of=mine)
    assert {(p.first, p.second) for p in found.pairs if p.score == 1.0} == {
        ("other", "other"), ("other", "same file"), ("other", "same pictures")
    }  # fmt: skip
    best = next(pair for pair in found.pairs if pair.first == "mine")
    assert best.second in {"film", "film again"}
    foreign = VideoEncoder(other_bundle)
    build_index(tmp_path / "foreign", [foreign.encode(film)], foreign.origin)
    with pytest.raises(MismatchError):
        search(Engine(archive, bundle), tmp_path, of=open_index(tmp_path / "foreign"))


def test_a_pair_has_the_lower_score_of_both_directions(
    bundle: Bundle, archive: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {
        (p.first, p.second): p.score for p in search(Engine(archive, bundle), tmp_path / "before").pairs
    }
    monkeypatch.setattr(Engine, "pair_score", lambda *_: 0.25)
    found = {(p.first, p.second): p.score for p in search(Engine(archive, bundle), tmp_path / "after").pairs}
    assert before["film", "film again"] > 0.25
    assert found["film", "film again"] == 0.25
    assert found["film", "part"] == before["film", "part"], "a part finds more in the whole"
