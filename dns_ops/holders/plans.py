"""What a group of holders holds of a version of an index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dns_core.index import Index
from dns_core.index.manifest import FileEntry, Manifest
from dns_core.retrieval.shards import EngineLimits
from dns_core.store.fingerprints import fingerprint_json


@dataclass(frozen=True, slots=True)
class Source:
    """Where files are, for a machine that does not have them: in shared folders, or by digest in a bucket.

    Attributes:
        index: folder of the version.
        models: folder of the bundle.
        bucket: name; empty if there is none.
        endpoint: address of its server; empty is Amazon's.
    """

    index: Path
    models: Path
    bucket: str = ""
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Computing:
    """What holders compute.

    Attributes:
        fines: networks that are served.
        limits: of a search.
        code: fingerprint of the code that computes.
    """

    fines: tuple[str, ...]
    limits: EngineLimits
    code: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a group holds.

    Attributes:
        key: of the version, the models and the way in which it is cut; the same for all groups.
        manifest: of the group's shards alone.
        models: files of the bundle.
        computing: what is computed.
        source: of the files.
    """

    key: str
    manifest: Manifest
    models: Mapping[str, FileEntry]
    computing: Computing
    source: Source

    @property
    def shards(self) -> tuple[str, ...]:
        """Names of the shards."""
        return tuple(entry.name for entry in self.manifest.shards)

    @property
    def n_videos(self) -> int:
        """Live videos."""
        return sum(entry.n_videos - len(entry.removed) for entry in self.manifest.shards)


def plans_of(index: Index, source: Source, n_groups: int, computing: Computing) -> list[Plan]:
    """A plan for each group that has videos; shards stay in their order, and groups are about equally large.

    Args:
        index: the version.
        source: of its files, and of the models'.
        n_groups: at most.
        computing: what holders compute.
    """
    manifest = index.manifest
    models = {path.name: FileEntry.of(path) for path in sorted(source.models.iterdir()) if path.is_file()}
    parts = [
        manifest.model_copy(update={"shards": tuple(manifest.shards[n] for n in numbers), "quarantine": ()})
        for numbers in _cut([entry.n_frames for entry in manifest.shards], n_groups)
    ]
    made_of = [m.model_dump(mode="json") for m in (manifest, *parts)] + [
        {name: file.sha256 for name, file in models.items()}
    ]
    key = f"{manifest.version}-{fingerprint_json(made_of)[:16]}"
    plans = [Plan(key, part, models, computing, source) for part in parts]
    return [plan for plan in plans if plan.n_videos]


def _cut(sizes: Sequence[int], n_groups: int) -> list[list[int]]:
    """Places of consecutive ones in each of the groups that get any."""
    middles = np.cumsum(sizes) - np.array(sizes) / 2
    owners = (middles * n_groups / sum(sizes)).astype(int) if len(sizes) else np.empty(0, dtype=int)
    return [np.flatnonzero(owners == owner).tolist() for owner in np.unique(owners)]
