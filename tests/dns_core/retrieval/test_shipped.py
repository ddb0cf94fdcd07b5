"""The models that come with the software: whole, small, documented, and able to find a degraded excerpt."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from dns_core.corpus.shots import Shot, film
from dns_core.corpus.sources import SOURCES
from dns_core.index import open_index
from dns_core.records import UInt8Array
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.comparison import compare
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.index_settings import FINE_NETWORKS
from dns_core.retrieval.pipeline import index_videos, open_features, query_video
from dns_core.retrieval.relation import covered_s
from dns_core.video import write_video

PICTURES = ("astronaut", "chelsea", "coffee", "rocket", "retina", "immunohistochemistry")


def _pan(name: str, n_frames: int = 60) -> UInt8Array:
    """A camera that moves over a photograph."""
    picture = Image.fromarray(getattr(skimage.data, name)()[..., :3])
    scaled = np.asarray(picture.resize((480, 360)))
    lefts = np.linspace(0, 480 - 320, n_frames).astype(int)
    return np.stack([scaled[60:300, left : left + 320] for left in lefts])


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(SHIPPED_MODELS)


def test_the_bundle_is_whole_and_small(bundle: Bundle) -> None:
    assert sum(path.stat().st_size for path in SHIPPED_MODELS.iterdir()) <= 40_000_000
    for fine in FINE_NETWORKS:
        assert bundle.fine(fine)
        assert bundle.selector(fine)
        assert bundle.calibration.scale(fine)
        assert bundle.calibration.frame_threshold(fine)
    assert bundle.fine("teacher")
    assert bundle.coarse
    assert bundle.background.videos
    assert open_features(bundle).whitening.dims == 512


def test_the_card_says_what_the_models_are(bundle: Bundle) -> None:
    card = (SHIPPED_MODELS / "README.md").read_text(encoding="utf-8")
    for heading in ("Training data", "Licences", "Figures", "Limits", "Threshold"):
        assert f"## {heading}" in card
    assert bundle.fingerprint("teacher") in card


def test_a_tiny_grey_excerpt_finds_its_source_at_once(bundle: Bundle, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    for name in PICTURES:
        write_video(videos / f"{name}.mp4", _pan(name), fps=10)
    index_videos(videos, tmp_path / "index", bundle)
    tiny = [Image.fromarray(frame).convert("L").resize((64, 48)) for frame in _pan("chelsea")[20:50]]
    query = tmp_path / "query.mp4"
    write_video(query, np.stack([np.asarray(frame.convert("RGB")) for frame in tiny]), fps=10)
    engine = Engine(open_index(tmp_path / "index"), bundle)
    result = query_video(engine, open_features(bundle), query, top_k=6, budget=Budget(share=0.5))
    best, second, *_ = result.results
    assert best.video_id == "chelsea.mp4"
    assert best.score > 2 * second.score
    # A slow camera also matches a little aside; the longest stretch is the excerpt.
    segment = max(best.segments, key=lambda s: s.query_end_s - s.query_start_s)
    assert segment.target_start_s == pytest.approx(2.0, abs=1.0)
    assert segment.target_end_s == pytest.approx(5.0, abs=1.0)


class Archive:
    """Clips of a scene of each source, which have nothing in common, and what is made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        scenes = [(source.name, source.scenes[0].name) for source in SOURCES.values()]
        self.footage = {
            f"{number:02d}.mp4": film(Shot("", *scene, 0, 6.0, seed=number), np.arange(36) / 6, (320, 180))
            for number, scene in enumerate(scenes)
        }
        for name, frames in self.footage.items():
            self.write(name, frames)

    def write(self, name: str, frames: UInt8Array) -> Path:
        write_video(self.folder / name, frames, fps=6)
        return self.folder / name


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    made = Archive(tmp_path_factory.mktemp("archive"))
    assert len(made.footage) >= 24
    return made


def test_copies_in_an_index_change_no_score(archive: Archive, bundle: Bundle, tmp_path: Path) -> None:
    copied = archive.footage["02.mp4"]
    videos = tmp_path / "videos"
    shutil.copytree(archive.folder, videos)
    query = shutil.copyfile(archive.folder / "02.mp4", videos / "identical.mp4")
    grey = np.repeat(copied.mean(axis=3, keepdims=True), 3, axis=3).astype(np.uint8)
    copies = {
        "mirrored.mp4": copied[:, :, ::-1],
        "small.mp4": copied[:, ::2, ::2],
        "grey.mp4": grey,
        "squeezed.mp4": copied[:, :, ::2],
    }
    for name, frames in copies.items():
        write_video(videos / name, np.ascontiguousarray(frames), fps=6)
    index_videos(videos, tmp_path / "index", bundle)
    engine = Engine(open_index(tmp_path / "index"), bundle)
    result = query_video(engine, open_features(bundle), query, top_k=40, budget=Budget(share=1))
    scores = {match.video_id: match.score for match in result.results}
    assert min(scores["identical.mp4"], scores["02.mp4"]) >= 0.99
    assert min(scores[name] for name in copies) >= 0.5
    others = archive.footage.keys() - {"02.mp4"}
    assert max(scores[name] for name in others) < 0.1
    features = open_features(bundle)
    alone = compare(features.features(query, "q"), features.features(videos / "small.mp4", "t"), bundle)
    assert alone.calibrated == pytest.approx(scores["small.mp4"], abs=1e-6)


def test_black_frames_do_not_match_black_frames(archive: Archive, bundle: Bundle) -> None:
    black = np.zeros((60, 180, 320, 3), dtype=np.uint8)
    one, other = (
        archive.write(f"black_{name}", np.concatenate([archive.footage[name], black]))
        for name in ("03.mp4", "15.mp4")
    )
    pipeline = open_features(bundle)
    found = compare(pipeline.features(one, "a"), pipeline.features(other, "b"), bundle)
    assert found.calibrated < 0.1
    assert found.segments == ()


def test_a_part_is_enough(archive: Archive, bundle: Bundle) -> None:
    """A compilation and one of its clips, either way round; an excerpt of two seconds."""
    names = [f"{number:02d}.mp4" for number in (4, 9, 12, 18, 21)]
    compilation = archive.write("compilation.mp4", np.concatenate([archive.footage[n] for n in names]))
    excerpt = archive.write("excerpt.mp4", archive.footage["12.mp4"][12:24])
    pipeline = open_features(bundle)
    whole, clip, short, strange = (
        pipeline.features(path, path.name)
        for path in (compilation, archive.folder / "12.mp4", excerpt, archive.folder / "01.mp4")
    )
    assert compare(whole, clip, bundle).calibrated >= 0.5
    assert compare(clip, whole, bundle).calibrated >= 0.5
    assert compare(short, clip, bundle).calibrated >= 0.5
    assert compare(whole, strange, bundle).calibrated < 0.1
    (segment,) = compare(clip, whole, bundle).segments
    assert segment.target_start_s == pytest.approx(12, abs=1)
    assert segment.target_end_s == pytest.approx(18, abs=1)


Box = tuple[int, int, int, int]


def _shown_in(around: UInt8Array, frames: UInt8Array, box: Box) -> UInt8Array:
    """``around`` with ``frames`` in a window of it."""
    left, top, right, bottom = box
    composed = around.copy()
    small = [np.asarray(Image.fromarray(frame).resize((right - left, bottom - top))) for frame in frames]
    composed[:, top:bottom, left:right] = np.stack(small)
    return composed


LAYOUTS: dict[str, list[Box]] = {
    "picture in picture": [(150, 60, 290, 140)],
    "side by side": [(0, 0, 160, 180), (160, 0, 320, 180)],
    "grid": [(0, 0, 160, 90), (160, 0, 320, 90), (0, 90, 160, 180), (160, 90, 320, 180)],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_picture_in_a_composed_one_is_found_in_both_directions(
    bundle: Bundle, archive: Archive, tmp_path: Path, layout: str
) -> None:
    shown, *_, around, stranger = archive.footage
    composed = archive.footage[around]
    for name, box in zip(archive.footage, LAYOUTS[layout], strict=False):
        composed = _shown_in(composed, archive.footage[name], box)
    write_video(tmp_path / "composed.mp4", composed, fps=6)
    pipeline = open_features(bundle)
    query = pipeline.features(tmp_path / "composed.mp4", "composed")
    source, other = (pipeline.features(archive.folder / name, name) for name in (shown, stranger))
    for pair in ((query, source), (source, query)):
        found = compare(*pair, bundle)
        assert found.calibrated > 0.8
        assert found.segments
    assert compare(query, other, bundle).calibrated < 0.2


@pytest.mark.parametrize("start_s", [1, 3])
def test_an_excerpt_of_a_second_is_above_the_recommended_threshold(
    bundle: Bundle, archive: Archive, tmp_path: Path, start_s: int
) -> None:
    pipeline = open_features(bundle)
    name, *_, stranger = archive.footage
    write_video(tmp_path / "short.mp4", archive.footage[name][6 * start_s :][:6], fps=6)
    short = pipeline.features(tmp_path / "short.mp4", "short")
    source, other = (pipeline.features(archive.folder / video, video) for video in (name, stranger))
    for pair in ((short, source), (source, short)):
        found = compare(*pair, bundle)
        assert found.calibrated > 0.9
        assert found.segments
    assert compare(short, other, bundle).calibrated < 0.2


def test_slides_held_by_time_stamps_match_slides_that_are_repeated(bundle: Bundle, tmp_path: Path) -> None:
    slides = np.stack([_slide(colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))])
    write_video(tmp_path / "stamps.mp4", slides, fps=1 / 12)
    write_video(tmp_path / "plain.mp4", slides.repeat(60, axis=0), fps=5)
    pipeline = open_features(bundle)
    held, plain = (pipeline.features(tmp_path / f"{name}.mp4", name) for name in ("stamps", "plain"))
    for pair in ((held, plain), (plain, held)):
        found = compare(*pair, bundle)
        assert found.calibrated > 0.95
        # Of a picture that stands still all moments match: where a piece lies in it is a matter of noise.
        assert covered_s((s.query_start_s, s.query_end_s) for s in found.segments) >= 35
        assert max(max(s.query_end_s, s.target_end_s) for s in found.segments) <= 36


def _slide(colour: tuple[int, int, int]) -> UInt8Array:
    """A drawing of which one half has a colour."""
    slide = np.zeros((96, 160, 3), dtype=np.uint8)
    slide[:, 80:] = np.linspace(0, 255, 80, dtype=np.uint8)[None, :, None]
    slide[20:40, 100:140] = (255, 255, 0)
    slide[:, :80] = colour
    return slide
