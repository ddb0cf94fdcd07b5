"""Pairs as labels that FiftyOne imports: its FiftyOneTemporalDetectionDataset, made without its package.

A video has a detection for each stretch that it shares with another one: its label is the group, and its
attributes say the other video, the relation, and which copy is the best.

Format: https://docs.voxel51.com/user_guide/import_datasets.html, "FiftyOneTemporalDetectionDataset".
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dns_core.records import VideoProbe
from dns_core.retrieval.groups import Group
from dns_core.retrieval.pair_journal import Pair

NO_GROUP = "no group"
"""Label of a pair that is in no group."""


def fiftyone_labels(
    pairs: Sequence[Pair], groups: Sequence[Group], probes: Mapping[str, VideoProbe], videos: Path
) -> dict[str, Any]:
    """The content of ``labels.json``: detections by the absolute path of each video.

    Args:
        pairs: of the videos.
        groups: of the pairs.
        probes: what is known of the files, by id; without frames a second a stretch is left out.
        videos: the folder of the files.
    """
    group_of = {pair: (number, group) for number, group in enumerate(groups, start=1) for pair in group.pairs}
    labels: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for pair in pairs:
        number, group = group_of.get(pair, (0, None))
        label = {"label": f"group {number}" if group else NO_GROUP, "confidence": pair.score}
        told = {
            "relation": pair.kind,
            "kind": group.kind if group else "",
            "best": group.best if group else "",
        }
        for side, other, axis in ((pair.first, pair.second, "query"), (pair.second, pair.first, "target")):
            labels[str((videos / side).resolve())] += [
                {**label, "support": support, "attributes": {"other": other, **told}}
                for support in _supports(pair, axis, probes.get(side))
            ]
    return {"labels": dict(labels)}


def _supports(pair: Pair, axis: str, probe: VideoProbe | None) -> list[list[int]]:
    """First and last frame of each stretch on one side, counted from 1; equal files match as a whole."""
    if probe is None or not probe.fps:
        return []
    stretches = [
        (getattr(segment, f"{axis}_start_s"), getattr(segment, f"{axis}_end_s")) for segment in pair.segments
    ]
    if pair.kind == "identical":
        stretches = [(0.0, probe.duration_s)]
    firsts = [(int(start_s * probe.fps) + 1, round(end_s * probe.fps)) for start_s, end_s in stretches]
    return [[first, max(first, last)] for first, last in firsts]
