"""Still pictures: what is one, and how it is looked at."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dns_core.errors import VideoError
from dns_core.records import UInt8Array
from dns_core.video import photo
from dns_core.video.decode import Sampling
from dns_core.video.encode import write_video
from dns_core.video.photo import is_photo, photo_views, query_facts, read_photo


@pytest.fixture
def scene() -> UInt8Array:
    """40 px wide, 30 high; its left half is red."""
    picture = np.full((30, 40, 3), 200, np.uint8)
    picture[:, :20] = (220, 20, 20)
    return picture


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.avif", "a.bmp", "a.tiff", "a"])
def test_the_usual_formats_are_read(tmp_path: Path, scene: UInt8Array, name: str) -> None:
    Image.fromarray(scene).save(tmp_path / name, format=None if "." in name else "PNG")
    assert is_photo(tmp_path / name)
    assert np.abs(read_photo(tmp_path / name).astype(int) - scene).mean() < 8
    facts = query_facts(tmp_path / name)
    assert (facts.width_px, facts.height_px, facts.duration_s, facts.codec) == (40, 30, 0.0, "picture")


def test_a_picture_is_upright_and_what_is_transparent_is_white(tmp_path: Path, scene: UInt8Array) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees clockwise when shown
    Image.fromarray(scene).save(tmp_path / "turned.jpg", exif=exif)
    shown = read_photo(tmp_path / "turned.jpg")
    assert shown.shape == (40, 30, 3)
    assert shown[5, 15, 1] < 100 < shown[35, 15, 1]
    clear = np.dstack([scene, np.zeros((30, 40), np.uint8)])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    assert read_photo(tmp_path / "clear.png").min() == 255


def test_films_and_other_files_are_no_pictures(tmp_path: Path, scene: UInt8Array) -> None:
    frames = [Image.fromarray(np.roll(scene, n, axis=1)) for n in range(3)]
    for name in ("moving.png", "moving.webp", "moving.avif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=200)
        assert not is_photo(tmp_path / name), name
    write_video(tmp_path / "film.mp4", [scene] * 4, fps=4.0)
    (tmp_path / "text.jpg").write_text("no picture")
    for name in ("film.mp4", "text.jpg"):
        assert not is_photo(tmp_path / name)
    with pytest.raises(VideoError, match="not_a_video"):
        query_facts(tmp_path / "text.jpg")
    with pytest.raises(VideoError, match="missing"):
        is_photo(tmp_path / "none.jpg")


def test_what_is_cut_off_or_too_large_is_refused(
    tmp_path: Path, scene: UInt8Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cut.png"
    Image.fromarray(np.random.default_rng(0).integers(255, size=(90, 90, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(VideoError, match="corrupt"):
        read_photo(path)
    Image.fromarray(scene).save(tmp_path / "a.png")
    monkeypatch.setattr(photo, "MAX_FRAME_PIXELS", 1000)
    with pytest.raises(VideoError, match="too_large"):
        read_photo(tmp_path / "a.png")


def test_heif_is_read_by_ffmpeg(tmp_path: Path, scene: UInt8Array, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(scene).save(tmp_path / "a.avif")  # the same container, with another codec in it
    monkeypatch.setattr(photo, "_HEIF_BRANDS", {b"avif"})
    assert is_photo(tmp_path / "a.avif")
    assert np.abs(read_photo(tmp_path / "a.avif").astype(int) - scene).mean() < 8


def test_the_first_view_is_cut_as_the_frames_of_a_video_are(scene: UInt8Array) -> None:
    views = photo_views(scene, Sampling(resize_px=30, crop_px=20))
    assert views.shape == (6, 20, 20, 3)
    np.testing.assert_array_equal(views[0], scene[5:25, 10:30])


def test_another_view_lies_over_the_frame_that_was_cropped() -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 255, (10, 10, 3), dtype=np.uint8).repeat(12, axis=0).repeat(12, axis=1)
    sampling = Sampling(resize_px=60, crop_px=60)
    whole = photo_views(frame, sampling)[0].astype(int)
    for part in (frame[9:, 9:], frame[:-9, 9:], frame[9:, :-9], frame[:-9, :-9], frame[5:-5, 5:-5]):
        distances = [float(np.abs(view - whole).mean()) for view in photo_views(part, sampling)]
        assert min(distances[1:]) < 0.5 * distances[0]


def test_what_a_player_would_not_open_has_no_say(tmp_path: Path) -> None:
    reads: list[Any] = [is_photo, read_photo, query_facts]
    (tmp_path / "empty.png").touch()
    for read in reads:
        with pytest.raises(VideoError, match="empty"):
            read(tmp_path / "empty.png")
