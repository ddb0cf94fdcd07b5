"""CC_WEB_VIDEO (Wu et al., ACM MM 2007), judged in four ways.

``mAP`` judges the videos of a query's own set, ``mAP_star`` the whole collection; ``_c`` leaves out the
videos that a later inspection found mislabelled. The published file names no video for a few labels
(ten of 12,876): they stand in the database as ``unlisted/NUMBER``, which no method can find.
"""

from pathlib import Path

from dns_core.datasets.benchmark import Benchmark, Judged
from dns_core.datasets.checked_json import Checked
from dns_core.datasets.public_file import read_public_pickle
from dns_core.records import GroundTruth

ORIGIN = "datasets/cc_web_video.pickle of the project MKLab-ITI/visil (GitHub)"

# Exactly duplicate, similar, long version, major change, very similar; X is dissimilar.
_POSITIVE = ("E", "S", "L", "M", "V")

_JUDGED = {
    "mAP": Judged(labelled_only=True),
    "mAP_star": Judged(),
    "mAP_c": Judged(labelled_only=True, clean=True),
    "mAP_c_star": Judged(clean=True),
}


def read_cc_web_video(path: Path) -> Benchmark:
    """CC_WEB_VIDEO, from ``cc_web_video.pickle``.

    Raises:
        GroundTruthError: the file is not there, or does not say what it should.
        ForeignFileError: it is not a pickle of plain data.
    """
    top = read_public_pickle(path, ORIGIN)
    names = {number.value: video for video, number in top.child("index").items()}
    queries = top.child("queries").strings()
    sets, excluded = top.child("ground_truth").elements(), top.child("excluded").elements()
    if not len(queries) == len(sets) == len(excluded):
        raise top.refuse("as many sets as queries", f"{len(queries)}, {len(sets)} and {len(excluded)}")
    labels = {query: _named(node, names) for query, node in zip(queries, sets, strict=True)}
    labelled = {video for of_query in labels.values() for video in of_query}
    truth = GroundTruth(
        queries=tuple(sorted(queries)),
        database=tuple(sorted({*names.values(), *labelled})),
        labels=labels,
        tasks=dict.fromkeys(_JUDGED, _POSITIVE),
    )
    left_out = {
        query: frozenset(_name(number.value, names) for number in node.elements())
        for query, node in zip(queries, excluded, strict=True)
        if node.value
    }
    return Benchmark(
        "CC_WEB_VIDEO", truth, judged=_JUDGED, excluded=left_out, own_entry=True, found_only=False
    )


def _named(node: Checked, names: dict[int, str]) -> dict[str, str]:
    return {_name(number, names): label.string() for number, label in node.items()}


def _name(number: object, names: dict[int, str]) -> str:
    return names.get(number, f"unlisted/{number}") if isinstance(number, int) else f"unlisted/{number}"
