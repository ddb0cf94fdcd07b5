"""What was done to make one edited copy, kept beside it so that a re-run can take the copy over."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.store.atomic import read_json, write_json
from dns_core.video import SourceSegment

_FORMAT = "edited-copy/2"


@dataclass(frozen=True, slots=True)
class Relation:
    """A video that a copy shows: its id, FIVR's label and the stretches, in seconds of either."""

    video_id: str
    label: str
    segments: tuple[SourceSegment, ...]

    def rows(self) -> list[dict[str, float]]:
        """The segments as rows of a ground-truth file."""
        return [
            {
                "query_start_s": segment.clip_start_s,
                "query_end_s": segment.clip_end_s,
                "target_start_s": segment.source_start_s,
                "target_end_s": segment.source_end_s,
            }
            for segment in self.segments
        ]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one query was made.

    Attributes:
        query: file name of the copy.
        edits: names of the edits, in order of use.
        strength: of every edit.
        seed: of the run.
        ingredients: fingerprint of the content of each video used, by id.
        n_bytes: size of the copy.
        relations: the videos that it shows.
    """

    query: str
    edits: tuple[str, ...]
    strength: str
    seed: int
    ingredients: dict[str, str]
    n_bytes: int
    relations: tuple[Relation, ...]


def write_recipe(path: Path, recipe: Recipe) -> None:
    """Write a recipe as JSON, atomically."""
    write_json(path, {"format": _FORMAT, **asdict(recipe)})


def read_recipe(path: Path) -> Recipe | None:
    """The recipe at ``path``; None if there is none, or if it is damaged or of another format."""
    try:
        content: dict[str, Any] = read_json(path)
        if content.pop("format") != _FORMAT:
            return None
        relations = tuple(
            Relation(r["video_id"], r["label"], tuple(SourceSegment(**s) for s in r["segments"]))
            for r in content.pop("relations")
        )
        return Recipe(**{**content, "edits": tuple(content["edits"])}, relations=relations)
    except (MissingArtefactError, CorruptArtefactError, AttributeError, KeyError, TypeError):
        return None
