"""*Archives*: a benchmark of videos of minutes that are composed of shots of unrelated sources, as files.

Each shot is in one video alone, but for the intros, which the videos of a programme share. Queries show
stretches of these videos, rendered anew and edited.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.archive_shots import FPS, SIZE_PX, Footage, Shot, black, shortened, shown, starts_s
from dns_core.datasets.ground_truth import write_ground_truth
from dns_core.ports import Progress
from dns_core.records import NEUTRAL, GroundTruth, Segment, UInt8Array
from dns_core.store.atomic import write_json
from dns_core.video import write_video
from dns_core.video.clip import Clip
from dns_core.video.edits import edit_clip, random_edits
from dns_core.video.edits_spatial import each_image
from dns_core.video.edits_strength import Strength

VERSION = 1
"""Of what a seed gives; figures of two versions cannot be compared."""

_PROGRAMMES, _PROGRAMME_VIDEOS = 4, 5
_FILLERS = 160
_LEADERS = 4  # one video in so many begins with a black screen


@dataclass(frozen=True, slots=True)
class Archive:
    """A video to be searched.

    Attributes:
        name: of its file.
        shots: what it shows.
        content_s: when what no other video shows begins.
        has_intro: whether it begins with one, which other videos share.
    """

    name: str
    shots: tuple[Shot, ...]
    content_s: float
    has_intro: bool = False

    @property
    def length_s(self) -> float:
        """Seconds that it lasts."""
        return float(starts_s(self.shots)[-1])


@dataclass(slots=True)
class Query:
    """A query while it is made: frames, where they come from, and what else resembles them."""

    frames: list[UInt8Array] = field(default_factory=list)
    segments: list[tuple[Archive, Segment]] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)

    @property
    def now_s(self) -> float:
        """Seconds so far."""
        return sum(map(len, self.frames)) / FPS

    @property
    def clip(self) -> Clip:
        """All frames."""
        frames = np.concatenate(self.frames)
        return Clip(frames, FPS, np.arange(len(frames)) / FPS)


def draw_archives(
    shots: Sequence[Shot], seconds: tuple[float, float], rng: np.random.Generator
) -> tuple[list[Archive], list[Shot]]:
    """Videos that use up the shots, and shots that no video shows.

    Args:
        shots: in the order of use.
        seconds: bounds of lengths, drawn evenly on a scale of logarithms.
        rng: draws lengths and black screens.
    """
    rest = list(shots)
    fillers, rest = rest[:_FILLERS], rest[_FILLERS:]
    intros, rest = rest[:_PROGRAMMES], rest[_PROGRAMMES:]
    archives: list[Archive] = []
    while rest:
        number = len(archives)
        programme = number // _PROGRAMME_VIDEOS if number < _PROGRAMMES * _PROGRAMME_VIDEOS else None
        begun = [] if programme is None else [shortened(intros[programme], 6.0)]
        if programme is None and number % _LEADERS == 0:
            begun = [black(float(rng.uniform(3, 8)))]
        wanted_s = float(np.exp(rng.uniform(*np.log(seconds))))
        taken = list(begun)
        while rest and starts_s(taken)[-1] < wanted_s:
            taken.append(rest.pop())
        if starts_s(taken)[-1] >= seconds[0]:
            content_s = float(starts_s(begun)[-1])
            archives.append(
                Archive(f"archive-{number:03d}.mp4", tuple(taken), content_s, programme is not None)
            )
    return archives, fillers


class QueryMaker:
    """Makes the queries of each kind.

    Args:
        archives: the videos.
        fillers: shots that none of them shows.
        footage: the frames.
        rng: draws what is shown.
    """

    def __init__(
        self, archives: Sequence[Archive], fillers: Sequence[Shot], footage: Footage, rng: np.random.Generator
    ) -> None:
        self.archives, self._fillers = archives, fillers
        self.footage, self._rng = footage, rng

    @property
    def kinds(self) -> dict[str, Callable[[Query], Clip]]:
        """By kind, what adds to a query and gives its frames."""
        return {
            "excerpt": self._excerpt,
            "edited excerpt": self._edited,
            "compilation": self._compilation,
            "shared intro": self._intro,
            "black leader": self._leader,
            "picture in picture": self._window,
            "grid": self._grid,
            "aspect": self._aspect,
        }

    def _excerpt(self, query: Query) -> Clip:
        self._add(query, self._any(), (6, 20))
        return query.clip

    def _edited(self, query: Query) -> Clip:
        self._add(query, self._any(), (6, 20))
        return self._after(query.clip, *random_edits(self._rng, "medium", 2))

    def _compilation(self, query: Query) -> Clip:
        count = int(self._rng.integers(4, 8))
        for row in self._rng.choice(len(self.archives), count, replace=False):
            self._add(query, self.archives[row], (4, 12))
            if self._rng.random() < 0.3:
                query.frames.append(self.footage.frames(self._filler()))
        return query.clip

    def _intro(self, query: Query) -> Clip:
        begun = [archive for archive in self.archives if archive.has_intro]
        archive = begun[int(self._rng.integers(len(begun)))]
        self._add(query, archive, (archive.content_s, archive.content_s), start_s=0.0)
        self._add(query, archive, (8, 15))
        return query.clip

    def _leader(self, query: Query) -> Clip:
        query.frames.append(self.footage.frames(black(float(self._rng.uniform(4, 8)))))
        self._add(query, self._any(), (6, 15))
        query.frames.append(self.footage.frames(black(4.0)))
        return query.clip

    def _window(self, query: Query) -> Clip:
        self._add(query, self._any(), (6, 20))
        behind = self.footage.frames(self._filler())
        other = Clip(behind, FPS, np.arange(len(behind)) / FPS)
        return edit_clip(query.clip, "picture_in_picture", rng=self._rng, strength="medium", other=other)

    def _grid(self, query: Query) -> Clip:
        """Four excerpts at once, two by two."""
        length_s, tiles = float(self._rng.integers(8, 15)), []
        for row in self._rng.choice(len(self.archives), 4, replace=False):
            query.frames.clear()
            self._add(query, self.archives[row], (length_s, length_s))
            tiles.append(each_image(query.frames[0], _quarter))
        rows = [np.concatenate(tiles[at : at + 2], axis=2) for at in (0, 2)]
        return Clip(np.concatenate(rows, axis=1), FPS, np.arange(len(tiles[0])) / FPS)

    def _aspect(self, query: Query) -> Clip:
        self._add(query, self._any(), (6, 20))
        strength: Strength = "strong" if self._rng.random() < 0.5 else "medium"
        return edit_clip(query.clip, "aspect", rng=self._rng, strength=strength)

    def _after(self, clip: Clip, *edits: str) -> Clip:
        for edit in edits:
            clip = edit_clip(clip, edit, rng=self._rng, strength="medium")
        return clip

    def _any(self) -> Archive:
        return self.archives[int(self._rng.integers(len(self.archives)))]

    def _filler(self) -> Shot:
        return self._fillers[int(self._rng.integers(len(self._fillers)))]

    def _add(
        self, query: Query, archive: Archive, bounds_s: tuple[float, float], start_s: float | None = None
    ) -> None:
        """Add a stretch of an archive, from anywhere after its leader or intro if ``start_s`` is None."""
        length_s = round(float(self._rng.uniform(*bounds_s)) * FPS) / FPS
        if start_s is None:
            start_s = float(self._rng.uniform(archive.content_s, archive.length_s - length_s))
            start_s = int(start_s * FPS) / FPS
        now_s = query.now_s
        query.frames.append(self.footage.between(archive.shots, start_s, length_s))
        query.sources |= shown(archive.shots, start_s, length_s)
        segment = Segment(now_s, now_s + length_s, start_s, start_s + length_s, 1.0)
        query.segments.append((archive, segment))


def write_archives(out: Path, maker: QueryMaker, per_kind: int, progress: Progress) -> dict[str, Any]:
    """Files under ``out``: ``database``, ``queries``, ``ground_truth.json``; returns what the queries are.

    Args:
        out: the folder; videos that are there stay.
        maker: of the queries.
        per_kind: queries of each kind.
        progress: shows how far it has come.
    """
    archives = maker.archives
    for archive in progress.track(archives, "archives", len(archives)):
        path = out / "database" / archive.name
        if not path.is_file():
            write_video(path, maker.footage.all_frames(archive.shots), FPS, crf=26)
    made: dict[str, Any] = {}
    names = [(kind, number) for kind in maker.kinds for number in range(per_kind)]
    labels: dict[str, dict[str, str]] = {}
    segments: dict[str, dict[str, tuple[Segment, ...]]] = {}
    for kind, number in progress.track(names, "queries", len(names)):
        query = Query()
        clip = maker.kinds[kind](query)
        name = f"{kind.replace(' ', '-')}-{number:02d}.mp4"
        write_video(out / "queries" / name, clip.frames, FPS, crf=30)
        labels[name], segments[name] = labels_of(query, archives), segments_of(query)
        made[name] = {"edit": kind, "edits": [kind], "strength": "medium"}
    database = tuple(archive.name for archive in archives)
    truth = GroundTruth(tuple(made), database, labels, {"DSVR": ("DS",)}, segments)
    write_ground_truth(out / "ground_truth.json", truth)
    write_json(out / "queries.json", made)
    return made


def labels_of(query: Query, archives: Sequence[Archive]) -> dict[str, str]:
    """What the query shows is right; neutral is what shows another stretch of a clip, or only the intro."""
    labels = {
        archive.name: NEUTRAL
        for archive in archives
        if query.sources & {shot.source for shot in archive.shots}
    }
    return labels | {archive.name: "DS" for archive, _ in query.segments}


def segments_of(query: Query) -> dict[str, tuple[Segment, ...]]:
    """The true stretches, by video."""
    found: dict[str, tuple[Segment, ...]] = {}
    for archive, segment in query.segments:
        found[archive.name] = (*found.get(archive.name, ()), segment)
    return found


def _quarter(image: Image.Image) -> Image.Image:
    return image.resize((SIZE_PX[0] // 2, SIZE_PX[1] // 2))
