"""Little videos, and an archive of them with three that break their decoder, `faulty_decoder`."""

from pathlib import Path

import numpy as np

from dns_core.video.encode import write_video

N_GOOD = 30
FAULTY = {"exits.mp4": "corrupt", "hangs.mp4": "too_large", "eats.mp4": "too_large"}


def write_archive(folder: Path) -> Path:
    for number in range(N_GOOD):
        rng = np.random.default_rng(number)
        scenes = rng.integers(0, 255, (4, 6, 8, 3), dtype=np.uint8)
        frames = [np.kron(scene, np.ones((16, 16, 1), dtype=np.uint8)) for scene in scenes for _ in range(8)]
        write_video(folder / f"v{number:02}.mp4", frames, fps=8.0)
    return folder


def faulty_archive(videos: Path, folder: Path) -> Path:
    folder.mkdir()
    for path in sorted(videos.iterdir()):
        (folder / path.name).symlink_to(path)
    for name in FAULTY:
        (folder / name).symlink_to(videos / "v00.mp4")
    return folder
