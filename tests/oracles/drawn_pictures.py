"""Pictures drawn by arithmetic, of which the hashes by the reference are in ``tests/golden/pdq``."""

from pathlib import Path

import numpy as np
from PIL import Image

N_PICTURES = 100
MODES = ("RGB", "L", "RGBA", "RGB")


def drawn(seed: int, height: int = 0, width: int = 0) -> np.ndarray:
    """A picture ``[H, W, 3]`` of soft waves and hard boxes; every tenth is nearly plain."""
    rng = np.random.default_rng(seed)
    height, width = height or int(rng.integers(40, 300)), width or int(rng.integers(40, 300))
    rows, columns = np.arange(height)[:, None, None], np.arange(width)[None, :, None]
    picture = np.full((height, width, 3), 128, dtype=np.int64)
    for _ in range(6):  # triangular waves, of whole numbers
        period, step = int(rng.integers(20, 200)), rng.integers(1, 5, 2)
        phase = rng.integers(0, period, (1, 1, 3))
        wave = np.abs((step[0] * rows + step[1] * columns + phase) % period * 2 - period)
        picture += (wave * int(rng.integers(10, 60))) // period - 15
    for _ in range(int(rng.integers(2, 9))):
        top, left = int(rng.integers(height)), int(rng.integers(width))
        picture[top : top + height // 4, left : left + width // 3] = rng.integers(0, 256, 3)
    if seed % 10 == 9:
        picture = 100 + (picture - 128) // 60
    return np.clip(picture, 0, 255).astype(np.uint8)


def write_pictures(folder: Path) -> list[Path]:
    """Write the pictures, coloured, grey and with a transparent part."""
    paths = []
    for seed in range(N_PICTURES):
        path = folder / f"{seed:03}.png"
        Image.fromarray(drawn(seed)).convert(MODES[seed % len(MODES)]).save(path)
        paths.append(path)
    return paths
