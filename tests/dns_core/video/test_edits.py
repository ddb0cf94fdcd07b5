"""Every edit: seeded, of the right size, and honest about where its frames come from."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from dns_core.errors import ParamsError
from dns_core.records import UInt8Array
from dns_core.video import Clip, other_segments, source_segments
from dns_core.video.edits import EDITS, STRENGTHS, Strength, edit_clip, random_edits

SPATIAL = tuple(name for name, edit in EDITS.items() if edit.kind == "spatial")


def scene(seed: int, n_frames: int, height: int = 96, width: int = 128) -> UInt8Array:
    """Soft blotches that drift: enough structure for an edit to show."""
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(256, size=(9, 16, 3), dtype=np.uint8))
    wide = np.asarray(image.resize((width + n_frames, height)).filter(ImageFilter.GaussianBlur(1)))
    return np.stack([wide[:, n : n + width] for n in range(n_frames)])


def clip_of(n_frames: int = 12, fps: float = 2.0, **size: int) -> Clip:
    return Clip(scene(0, n_frames, **size), fps, 10 + np.arange(n_frames) / fps)


def edited(clip: Clip, name: str, strength: Strength, seed: int = 0) -> Clip:
    other = Clip(scene(1, 9, 80, 90), 3.0, np.arange(9) / 3)
    return edit_clip(clip, name, rng=np.random.default_rng(seed), strength=strength, other=other)


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("name", EDITS)
def test_an_edit_repeats_exactly_and_leaves_its_input(name: str, strength: Strength) -> None:
    clip = clip_of(height=144, width=192)
    before = clip.frames.copy()
    first, again = edited(clip, name, strength), edited(clip, name, strength)
    np.testing.assert_array_equal(first.frames, again.frames)
    np.testing.assert_array_equal(first.source_times_s, again.source_times_s)
    np.testing.assert_array_equal(clip.frames, before)
    assert first.fps == clip.fps
    assert first.frames.dtype == np.uint8
    assert first.frames.shape != before.shape or (first.frames != before).any()


@pytest.mark.parametrize("name", sorted(set(EDITS) - {"flip", "scale_down", "grey", "sepia"}))
def test_another_seed_is_another_copy(name: str) -> None:
    copies = [edited(clip_of(), name, "medium", seed) for seed in range(6)]
    assert any(
        copy.frames.shape != copies[0].frames.shape or (copy.frames != copies[0].frames).any()
        for copy in copies
    )


@pytest.mark.parametrize("name", SPATIAL)
def test_spatial_edits_keep_frames_and_times(name: str) -> None:
    for clip in (clip_of(), clip_of(1, fps=1.0)):
        copy = edited(clip, name, "strong")
        assert copy.n_frames == clip.n_frames
        np.testing.assert_array_equal(copy.source_times_s, clip.source_times_s)


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (40, 1), (17, 33), (2, 2)])
def test_edits_bear_tiny_and_odd_frames(name: str, height: int, width: int) -> None:
    for strength in STRENGTHS:
        copy = edited(clip_of(3, height=height, width=width), name, strength)
        assert copy.frames.dtype == np.uint8
        assert len(copy.frames) == len(copy.source_times_s) >= 1


@pytest.mark.parametrize("name", EDITS)
def test_edits_bear_a_single_frame(name: str) -> None:
    assert edited(clip_of(1), name, "strong").n_frames >= 1


@pytest.mark.parametrize("name", ["reencode", "blur", "noise", "camcorder", "sepia"])
def test_strength_is_a_measure_of_damage(name: str) -> None:
    clip = clip_of()

    def damage(strength: Strength) -> float:
        copy = edited(clip, name, strength).frames[0]
        same_size = np.asarray(Image.fromarray(copy).resize((128, 96)))
        return float(np.abs(same_size.astype(int) - clip.frames[0]).mean())

    assert damage("light") < damage("medium") < damage("strong")


def test_sizes() -> None:
    clip = clip_of(2, height=200, width=300)
    sides = [edited(clip, "scale_down", s).frames.shape[1:3] for s in STRENGTHS]
    assert sides == [(128, 192), (64, 96), (32, 48)]
    assert edited(clip_of(2, height=20, width=30), "scale_down", "strong").frames.shape[1:3] == (20, 30)
    assert edited(clip, "crop", "strong").frames.shape[1:3] == (110, 165)
    bordered = edited(clip, "borders", "medium").frames.shape[1:3]
    assert bordered in {(252, 300), (200, 378), (252, 378)}
    for name in ("reencode", "blur", "noise", "logo", "text", "camcorder", "picture_in_picture", "grey"):
        assert edited(clip, name, "medium").frames.shape == clip.frames.shape


def test_aspect_changes_the_ratio_of_the_sides() -> None:
    clip = clip_of(2, height=180, width=320)
    ratios = {s: edited(clip, "aspect", s).frames.shape[1:3] for s in STRENGTHS}
    assert ratios["light"] in {(180, 240), (135, 320)}
    assert ratios["medium"] in {(180, 180), (101, 320)}
    assert ratios["strong"] == (180, 101)
    upright = clip_of(2, height=320, width=180)
    assert edited(upright, "aspect", "strong").frames.shape[1:3] == (101, 180)


def test_flip_and_crop_move_pixels_only() -> None:
    clip = clip_of()
    np.testing.assert_array_equal(edited(clip, "flip", "light").frames[:, :, ::-1], clip.frames)
    part = edited(clip, "crop", "medium").frames
    places = np.lib.stride_tricks.sliding_window_view(clip.frames[0], part.shape[1:])[:, :, 0]
    assert (places == part[0]).all(axis=(2, 3, 4)).any()


def test_grey_has_no_colour() -> None:
    frames = edited(clip_of(), "grey", "strong").frames.astype(int)
    assert np.ptp(frames, axis=-1).max() <= 1


def test_parameters_are_drawn_once_a_clip() -> None:
    still = Clip(np.repeat(scene(0, 1), 5, axis=0), 1.0, np.arange(5.0))
    for name in set(SPATIAL) - {"noise", "camcorder", "reencode"}:
        frames = edited(still, name, "strong").frames
        assert (frames == frames[0]).all(), name


def test_a_hand_shakes_slowly() -> None:
    still = Clip(np.repeat(scene(0, 1), 100, axis=0), 25.0, np.arange(100) / 25)
    frames = edited(still, "camcorder", "strong").frames.astype(int)
    near = np.abs(frames[1:] - frames[:-1]).mean()
    far = np.abs(frames[25:] - frames[:-25]).mean()
    assert 0 < near < far / 2


@pytest.mark.parametrize("name", ["speed", "frame_drop", "trim"])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_temporal_edits_show_frames_of_the_stated_times(name: str, strength: Strength) -> None:
    clip = clip_of(40)
    for seed in range(4):
        copy = edited(clip, name, strength, seed)
        order = np.rint((copy.source_times_s - 10) * clip.fps).astype(int)
        np.testing.assert_array_equal(copy.frames, clip.frames[order])
        assert (np.diff(order) >= 0).all()
        assert copy.n_frames != clip.n_frames


def test_trim_is_one_stretch() -> None:
    copy = edited(clip_of(40), "trim", "strong")
    assert copy.n_frames == 10
    np.testing.assert_allclose(np.diff(copy.source_times_s), 0.5)
    [segment] = source_segments(copy)
    assert (segment.clip_start_s, segment.clip_end_s) == (0, 5)
    assert segment.source_end_s - segment.source_start_s == pytest.approx(5)


def test_insert_shows_both_videos_at_the_stated_times() -> None:
    clip = clip_of(20)
    other = Clip(scene(1, 30), 3.0, 5 + np.arange(30) / 3)  # 10 s: 20 frames at the clip's 2 a second
    copy = edit_clip(clip, "insert", rng=np.random.default_rng(3), strength="medium", other=other)
    assert copy.n_frames == 20 + 11
    assert copy.other_times_s is not None
    shows_source = ~np.isnan(copy.source_times_s)
    np.testing.assert_array_equal(shows_source, np.isnan(copy.other_times_s))
    source_order = np.rint((copy.source_times_s[shows_source] - 10) * 2).astype(int)
    np.testing.assert_array_equal(copy.frames[shows_source], clip.frames[source_order])
    other_order = np.rint((copy.other_times_s[~shows_source] - 5) * 3).astype(int)
    np.testing.assert_array_equal(copy.frames[~shows_source], other.frames[other_order])
    [segment] = source_segments(copy)
    assert segment.clip_end_s - segment.clip_start_s == pytest.approx(5.5)
    assert len(other_segments(copy)) == 2


def test_insert_needs_another_video() -> None:
    assert EDITS["insert"].needs_other
    with pytest.raises(ValueError, match="another"):
        edit_clip(clip_of(), "insert", rng=np.random.default_rng(0))


def test_picture_in_picture_over_nothing_and_over_a_shorter_video() -> None:
    clip = clip_of(20)
    alone = edit_clip(clip, "picture_in_picture", rng=np.random.default_rng(0))
    assert alone.other_times_s is None
    both = edited(clip, "picture_in_picture", "strong")  # the other lasts 3 of 10 s and starts again
    assert len(other_segments(both)) == 4
    assert len(source_segments(both)) == 1


def test_edits_chain() -> None:
    rng = np.random.default_rng(0)
    clip = clip_of(20)
    for name in ("trim", "insert", "speed", "crop"):
        clip = edit_clip(clip, name, rng=rng, other=clip_of(10))
    shown = clip.source_times_s[~np.isnan(clip.source_times_s)]
    assert len(shown)
    assert set(shown) <= set(10 + np.arange(20) / 2)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ParamsError, match="crop"):
        edit_clip(clip_of(), "rotate", rng=np.random.default_rng(0))
    with pytest.raises(ParamsError, match="medium"):
        edit_clip(clip_of(), "crop", rng=np.random.default_rng(0), strength="brutal")  # type: ignore[arg-type]


def test_random_edits_are_plausible() -> None:
    rivals = ({"colour", "sepia", "grey"}, {"blur", "scale_down", "camcorder"}, {"crop", "borders", "aspect"})
    seen: set[str] = set()
    for seed in range(200):
        for strength in STRENGTHS:
            chain = random_edits(np.random.default_rng(seed), strength, 1 + seed % 6)
            assert len(chain) == len(set(chain)) == 1 + seed % 6
            assert all(len(set(chain) & row) <= 1 for row in rivals)
            seen.update(chain)
    assert seen == set(SPATIAL)
    assert random_edits(np.random.default_rng(0), "light", 0) == ()
    assert random_edits(np.random.default_rng(5), "strong", 3) == random_edits(
        np.random.default_rng(5), "strong", 3
    )
    with pytest.raises(ParamsError):
        random_edits(np.random.default_rng(0), "light", 7)
