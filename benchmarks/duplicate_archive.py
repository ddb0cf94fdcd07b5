"""An archive of edited copies with known groups, made of real videos, to measure ``dns duplicates``.

Of each source the first seconds are kept, small; some have no copy, others up to eight, each edited as the
demo's copies are. Two clips show the same if they are of one source and share seconds of it. What cannot be
judged counts neither way: clips of one source that share less, and clips of two sources that come from one
place and may be takes of one scene.

```console
$ python -m benchmarks.duplicate_archive --out my/archive --clips 2000 my/videos my/other-videos
```
"""

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console

from dns_core.corpus.recipes import ARCHIVE, EXCERPT, MIXING, WHOLE, Recipe
from dns_core.errors import VideoError
from dns_core.store.atomic import write_json
from dns_core.store.fingerprints import fingerprint_json
from dns_core.video import discover_videos, read_clip, write_video
from dns_core.video.clip import Clip
from dns_core.video.edits import edit_clip

_FPS, _SIDE_PX, _LENGTH_S, _MOST_COPIES = 12.0, 256, 10, 8
_EXCERPTS = [(("trim", "light"), *recipe) for recipe in EXCERPT]
_RECIPES: list[Recipe] = [
    recipe for recipe in (*ARCHIVE, *WHOLE, *_EXCERPTS) if not MIXING & {name for name, _ in recipe}
]


@dataclass(frozen=True, slots=True)
class Copy:
    """A clip of the archive: what it is of, and which seconds of its source it shows.

    Attributes:
        name: its file.
        source: number of the source.
        origin: of the source: its folder, or what stands before ``__`` in its name.
        start_s: first second of the source that is shown.
        end_s: last one.
        edits: names and strengths, in order.
    """

    name: str
    source: int
    origin: str
    start_s: float
    end_s: float
    edits: Recipe = ()


def origin_of(video_id: str) -> str:
    """Where a source comes from.

    Example:
        >>> origin_of("site/a.mp4"), origin_of("site__page__0af3.mp4")
        ('site', 'site__page')
    """
    folder, _, name = video_id.rpartition("/")
    return folder or name.rpartition("__")[0] or name


def copies_of(source: int, *, seed: int) -> list[Recipe]:
    """The edits of the copies of a source: none of about one in nine sources, up to eight of another."""
    rng = np.random.default_rng((seed, source))
    chosen = rng.permutation(len(_RECIPES))[: int(rng.integers(_MOST_COPIES + 1))]
    return [_RECIPES[number] for number in chosen]


def make(folders: Sequence[Path], out: Path, *, n_clips: int, seed: int) -> list[Copy]:
    """Write clips until there are enough of them, and what they show."""
    found = [found for folder in folders for found in discover_videos(folder)]
    found.sort(key=lambda entry: fingerprint_json([seed, entry[0]]))
    made: list[Copy] = []
    with ProcessPoolExecutor() as pool:
        write = partial(_written, out=out, seed=seed)
        for copies in pool.map(write, range(len(found)), *zip(*found, strict=True), chunksize=1):
            made += copies[: n_clips - len(made)]
            if len(made) == n_clips:
                pool.shutdown(cancel_futures=True)
                break
    for surplus in {path.name for path in out.glob("*.mp4")} - {copy.name for copy in made}:
        (out / surplus).unlink()
    write_json(out.with_suffix(".json"), [asdict(copy) for copy in made])
    return made


def _written(source: int, video_id: str, path: Path, *, out: Path, seed: int) -> list[Copy]:
    """The clips of a source, the plain one first; none of a file that cannot be read or hardly lasts."""
    try:
        clip = read_clip(path, fps=_FPS, max_side_px=_SIDE_PX, max_frames=int(_FPS * _LENGTH_S))
    except VideoError:
        return []
    if clip.duration_s < 2:
        return []
    return list(_copies(clip, source, origin_of(video_id), out=out, seed=seed))


def _copies(clip: Clip, source: int, origin: str, *, out: Path, seed: int) -> Iterator[Copy]:
    for number, recipe in enumerate([(), *copies_of(source, seed=seed)]):
        rng = np.random.default_rng((seed, source, number))
        edited = clip
        for name, strength in recipe:
            edited = edit_clip(edited, name, rng=rng, strength=strength)
        # The name says nothing of the source, as in a real archive.
        file = f"{fingerprint_json([seed, source, number])}.mp4"
        write_video(out / file, edited.frames, edited.fps)
        shown = edited.source_times_s[~np.isnan(edited.source_times_s)]
        yield Copy(file, source, origin, float(shown.min()), float(shown.max()), recipe)


def main() -> None:
    """Make an archive."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("videos", type=Path, nargs="+", help="folders of videos")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; the truth is OUT.json")
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    made = make(args.videos, args.out, n_clips=args.clips, seed=args.seed)
    n_sources = len({copy.source for copy in made})
    Console().print(f"{len(made)} clips of {n_sources} sources in {args.out}")


if __name__ == "__main__":
    main()
