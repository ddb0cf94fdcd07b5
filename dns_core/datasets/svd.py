"""SVD, short videos (Jiang et al., ICCV 2019): labelled pairs, and half a million distractors."""

from pathlib import Path

from dns_core.datasets.benchmark import Benchmark, Judged
from dns_core.datasets.public_file import missing, read_public_lines
from dns_core.errors import GroundTruthError
from dns_core.records import GroundTruth

ORIGIN = "test_groundtruth of SVD (svdbase.github.io), also in datasets/ of MKLab-ITI/visil (GitHub)"
DISTRACTORS_ORIGIN = "unlabeled-data-id of SVD (svdbase.github.io)"


def read_svd(path: Path, distractors: Path | None, *, labelled_only: bool = False) -> Benchmark:
    """SVD: each query is compared with its labelled videos and with every distractor.

    Args:
        path: ``test_groundtruth``: lines of query, video and 1 or 0.
        distractors: ``unlabeled-data-id``: one id a line.
        labelled_only: leave the distractors out, which is easier and not what papers report.

    Raises:
        GroundTruthError: a file is not there, or does not say what it should.
    """
    if distractors is None and not labelled_only:
        raise missing(path.with_name("unlabeled-data-id"), f"{DISTRACTORS_ORIGIN}; without it: svd-labelled")
    labels: dict[str, dict[str, str]] = {}
    for number, line in enumerate(read_public_lines(path, ORIGIN), start=1):
        query, video, label = _fields(path, number, line)
        if labels.setdefault(query, {}).setdefault(video, label) != label:
            raise GroundTruthError(f"{path}: line {number}: expected one label a pair, found two of {video}")
    others = set() if distractors is None or labelled_only else _ids(distractors)
    labelled = {video for of_query in labels.values() for video in of_query}
    truth = GroundTruth(tuple(sorted(labels)), tuple(sorted(labelled | others)), labels, {"mAP": ("1",)})
    return Benchmark(
        "SVD-labelled" if labelled_only else "SVD",
        truth,
        measure="thresholds",
        judged={"mAP": Judged(labelled_only=True)},
        distractors=frozenset(others),
    )


def _fields(path: Path, number: int, line: str) -> tuple[str, str, str]:
    fields = line.split()
    if len(fields) != 3 or fields[2] not in ("0", "1"):
        raise GroundTruthError(
            f"{path}: line {number}: expected query, video and 1 or 0, found {line[:60]!r}"
        )
    return fields[0], fields[1], fields[2]


def _ids(path: Path) -> set[str]:
    lines = read_public_lines(path, DISTRACTORS_ORIGIN)
    ids = set(lines)
    if len(ids) < len(lines):
        raise GroundTruthError(f"{path}: expected different ids, found {len(lines) - len(ids)} repeated")
    return ids
