"""FIVR-200K and its part FIVR-5K (Kordopatis-Zilos et al., TMM 2019; audio: Avgoustinakis et al., ICPR 2020).

A video may have several labels for one query, always with a stronger one among them: the strongest is
kept, which changes no task, since each task's labels include all stronger ones.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from dns_core.datasets.benchmark import Benchmark
from dns_core.datasets.checked_json import Checked
from dns_core.datasets.public_file import read_public_pickle
from dns_core.records import GroundTruth

ORIGIN = (
    "datasets/fivr.pickle of the project mever-team/distill-and-select (GitHub); data: MKLab-ITI/FIVR-200K"
)

VISUAL_TASKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"DSVR": ("ND", "DS"), "CSVR": ("ND", "DS", "CS"), "ISVR": ("ND", "DS", "CS", "IS")}
)
"""Labels that count as right in each visual task, strongest first."""

AUDIO_TASKS: Mapping[str, tuple[str, ...]] = MappingProxyType({"DAVR": ("DA",)})

_LABELS = frozenset({"ND", "DS", "CS", "IS", "DA"})


def read_fivr(path: Path, version: str, *, audio: bool = False) -> Benchmark:
    """FIVR-200K or FIVR-5K.

    Labels of videos outside the version's database do not count: they are labels of the other version.
    The published file has, where the videos with duplicate audio should stand, names of labels: the audio
    task is refused for it (the reference divides by zero), and read where the videos are listed.

    Args:
        path: ``fivr.pickle``.
        version: ``5k`` or ``200k``.
        audio: the audio task, of the queries that have audio labels, instead of the visual ones.

    Raises:
        GroundTruthError: the file is not there, or does not say what it should.
        ForeignFileError: it is not a pickle of plain data.
    """
    top = read_public_pickle(path, ORIGIN)
    part, annotation = top.child(version), top.child("annotation")
    tasks = AUDIO_TASKS if audio else VISUAL_TASKS
    order = list(dict.fromkeys(label for labels in tasks.values() for label in labels))
    labelled = {
        query: _strongest(annotation.child(query), order) for query in part.child("queries").strings()
    }
    if audio:
        labelled = {query: labels for query, labels in labelled.items() if labels}
    database = frozenset(part.child("database").strings())
    truth = GroundTruth(
        queries=tuple(sorted(labelled)),
        database=tuple(sorted(database)),
        labels={
            query: {v: x for v, x in labels.items() if v in database} for query, labels in labelled.items()
        },
        tasks=dict(tasks),
    )
    return Benchmark(f"FIVR-{version.upper()}{'-audio' if audio else ''}", truth)


def _strongest(node: Checked, order: Sequence[str]) -> dict[str, str]:
    """The first label of ``order`` that each video has."""
    found: dict[str, str] = {}
    for label in order:
        if label not in node.value:
            continue
        videos = node.child(label).strings()
        if _LABELS & set(videos):
            raise node.child(label).refuse("video ids", f"names of labels, {sorted(videos)}")
        for video in videos:
            found.setdefault(video, label)
    return found
