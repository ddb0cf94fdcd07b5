"""Edits that put something on or around the frames, the same in every frame: logo, text, borders."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dns_core.records import UInt8Array
from dns_core.video.edits_spatial import each_image
from dns_core.video.edits_strength import Strength, by_strength

_WORDS = (
    "LIVE", "breaking", "news", "official", "channel", "subscribe", "watch", "part", "episode", "report",
    "exclusive", "footage", "city", "today", "video", "share", "world", "archive", "highlights", "2024",
)  # fmt: skip


def logo(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:
    """An emblem in a corner, of 14, 22 or 32 % of the shorter side, ever less transparent."""
    height, width = frames.shape[1:3]
    side = max(1, round(min(height, width) * by_strength(strength, 0.14, 0.22, 0.32)))
    emblem = _emblem(rng, side)
    opacity = by_strength(strength, 0.55, 0.75, 1.0)
    margin_y, margin_x = (min(round(0.04 * s), s - side) for s in (height, width))
    top = int(rng.choice((margin_y, height - side - margin_y)))
    left = int(rng.choice((margin_x, width - side - margin_x)))
    return _overlaid(frames, emblem, opacity, top, left)


def text(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:
    """One, two or three lines of writing of 7, 9 or 12 % of the height, half of the time on a bar."""
    height, width = frames.shape[1:3]
    lines = by_strength(strength, 1, 2, 3)
    font_px = max(1.0, height * by_strength(strength, 0.07, 0.09, 0.12))
    band = _writing(rng, width, lines, font_px)[:height]
    top = int(rng.choice((round(0.03 * height), round(0.97 * height) - len(band))))
    return _overlaid(frames, band, 1.0, max(0, min(top, height - len(band))), 0)


def borders(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:
    """Bars above and below, left and right or all around, of 6, 13 or 22 % of the side they lie along.

    The bars are black, white, of one colour or of the blurred frame itself; the canvas grows by them.
    """
    share = by_strength(strength, 0.06, 0.13, 0.22)
    style = rng.choice(("letterbox", "pillarbox", "frame"))
    fill = rng.choice(("black", "white", "flat", "blur"))
    any_colour = tuple(int(v) for v in rng.integers(256, size=3))
    flat = {"black": (0, 0, 0), "white": (255, 255, 255)}.get(fill, any_colour)
    height, width = frames.shape[1:3]
    bar_y = max(1, round(height * share)) if style != "pillarbox" else 0
    bar_x = max(1, round(width * share)) if style != "letterbox" else 0
    size = (width + 2 * bar_x, height + 2 * bar_y)

    def bordered(image: Image.Image) -> Image.Image:
        canvas = _blown_up(image, size) if fill == "blur" else Image.new("RGB", size, flat)
        canvas.paste(image, (bar_x, bar_y))
        return canvas

    return each_image(frames, bordered)


def _emblem(rng: np.random.Generator, side: int) -> UInt8Array:
    """A disc, square or diamond with a second shape inside, RGBA [side, side, 4], antialiased."""
    large = 4 * side
    emblem = Image.new("RGBA", (large, large))
    draw = ImageDraw.Draw(emblem)
    for inset in (0.0, 0.25):
        low, high, middle = inset * large, (1 - inset) * large - 1, large / 2
        paint = (*(int(v) for v in rng.integers(256, size=3)), 255)
        shape = rng.choice(("disc", "square", "diamond"))
        if shape == "disc":
            draw.ellipse((low, low, high, high), fill=paint)
        elif shape == "square":
            draw.rectangle((low, low, high, high), fill=paint)
        else:
            draw.polygon(((middle, low), (high, middle), (middle, high), (low, middle)), fill=paint)
    return np.asarray(emblem.resize((side, side), Image.Resampling.BOX))


def _writing(rng: np.random.Generator, width: int, lines: int, font_px: float) -> UInt8Array:
    """Lines of words over the whole width, RGBA [lines, width, 4], with or without a bar behind them."""
    line_px = max(1, round(1.3 * font_px))
    bar = (*(int(v) for v in rng.integers(128, size=3)), 200) if rng.random() < 0.5 else (0, 0, 0, 0)
    ink = (*(int(v) for v in rng.integers(180, 256, size=3)), 255)
    band = Image.new("RGBA", (width, lines * line_px), bar)
    draw = ImageDraw.Draw(band)
    font = ImageFont.load_default(font_px)
    for number in range(lines):
        words = " ".join(rng.choice(_WORDS, size=int(rng.integers(2, 6))))
        left = int(rng.integers(max(1, width // 4)))
        draw.text(
            (left, number * line_px),
            words,
            font=font,
            fill=ink,
            stroke_width=font_px / 16,
            stroke_fill=(0, 0, 0, 255),
        )
    return np.asarray(band)


def _overlaid(frames: UInt8Array, overlay: UInt8Array, opacity: float, top: int, left: int) -> UInt8Array:
    """``overlay`` RGBA laid over every frame at one place, ``opacity`` of its own alpha."""
    rows, columns = slice(top, top + overlay.shape[0]), slice(left, left + overlay.shape[1])
    alpha = overlay[..., 3:].astype(np.float32) * (opacity / 255)
    paint, through = overlay[..., :3] * alpha, 1 - alpha
    shown = frames.copy()
    for frame in shown:
        frame[rows, columns] = (frame[rows, columns] * through + paint).astype(np.uint8)
    return shown


def _blown_up(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """``image`` stretched to ``size`` without detail, as players fill the bars beside an upright video."""
    return image.resize((12, 12), Image.Resampling.BILINEAR).resize(size, Image.Resampling.BICUBIC)
