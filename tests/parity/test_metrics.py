"""metrics.json: mean average precision of every public benchmark on seeded scores."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dns_core.datasets.benchmark import Benchmark
from dns_core.datasets.registry import read_dataset
from dns_core.errors import GroundTruthError
from dns_core.evaluation.benchmark import BenchmarkScorer, Compared
from dns_core.store.plain_pickle import read_plain_pickle
from tests.oracles.reference_files import ANNOTATIONS, figures

METRICS = figures("metrics.json")
TIES = [None, 2]


def seeded(seed: int, n_queries: int, n_videos: int, tie: int | None) -> Any:
    scores = np.random.default_rng(seed).random((n_queries, n_videos))
    return scores if tie is None else np.round(scores, tie)


def judged(benchmark: Benchmark, scores: Any, videos: Any = None) -> dict[str, float | None]:
    judge = BenchmarkScorer(benchmark)
    every = np.ones(len(judge.database), dtype=bool)
    compared = Compared(scores, np.ones(len(judge.queries), dtype=bool), every if videos is None else videos)
    return {task: figure.value for task, figure in judge.figures(compared, "reference").items()}


def check(found: dict[str, float | None], key: str) -> None:
    assert found == pytest.approx(METRICS[key], abs=1e-12)


@pytest.mark.parametrize("tie", TIES)
def test_fivr(tie: int | None) -> None:
    benchmark = read_dataset("fivr-5k", ANNOTATIONS / "fivr.pickle")
    check(judged(benchmark, seeded(7, 50, 5000, tie)), f"FIVR-5k/seed7/tie={tie}")


def test_fivr_with_half_of_its_database() -> None:
    benchmark = read_dataset("fivr-5k", ANNOTATIONS / "fivr.pickle")
    videos = np.zeros(5000, dtype=bool)
    videos[::2] = True
    videos |= np.isin(sorted(benchmark.truth.database), benchmark.truth.queries)
    check(judged(benchmark, seeded(7, 50, 5000, None), videos), "FIVR-5k/seed7/db_even_plus_queries")


def test_the_published_audio_labels_stop_the_reference_and_are_refused_here() -> None:
    assert METRICS["FIVR-5k-audio/seed7"].startswith("ZeroDivisionError")
    with pytest.raises(GroundTruthError, match="expected video ids"):
        read_dataset("fivr-5k-audio", ANNOTATIONS / "fivr.pickle")


@pytest.mark.parametrize("tie", TIES)
def test_cc_web_video(tie: int | None) -> None:
    benchmark = read_dataset("cc_web_video", ANNOTATIONS / "cc_web_video.pickle")
    listed = np.array([not video.startswith("unlisted/") for video in sorted(benchmark.truth.database)])
    # Here alone the fixture's rows are in the file's order.
    order = read_plain_pickle(ANNOTATIONS / "cc_web_video.pickle")["queries"]
    scores = np.zeros((24, len(listed)))
    rows = [order.index(query) for query in sorted(order)]
    scores[:, listed] = seeded(8, 24, int(listed.sum()), tie)[rows]
    check(judged(benchmark, scores, listed), f"CC_WEB_VIDEO/seed8/tie={tie}")


@pytest.mark.parametrize("tie", TIES)
def test_evve(tie: int | None) -> None:
    benchmark = read_dataset("evve", ANNOTATIONS / "evve.pickle")
    check(judged(benchmark, seeded(9, 620, 2373, tie)), f"EVVE/seed9/tie={tie}")


def test_svd(tmp_path: Path) -> None:
    (tmp_path / "unlabeled-data-id").write_text("u1\nu2\nu3\n")
    path = ANNOTATIONS / "svd_test_groundtruth.txt"
    benchmark = read_dataset("svd", path, tmp_path / "unlabeled-data-id")
    # The reference's database lists a video once for each query that labels it; the last column counts.
    listed = sorted([*[v for labels in benchmark.truth.labels.values() for v in labels], "u1", "u2", "u3"])
    column = {video: place for place, video in enumerate(listed)}
    scores = seeded(10, 206, len(listed), None)[:, [column[v] for v in sorted(benchmark.truth.database)]]
    check(judged(benchmark, scores), "SVD_with_3_fake_unlabeled/seed10")


def test_svd_without_its_distractors_stops_the_reference_and_is_refused_here() -> None:
    assert METRICS["SVD_with_3_fake_unlabeled/seed10/all_db=None"].startswith("TypeError")
    with pytest.raises(GroundTruthError, match="unlabeled-data-id"):
        read_dataset("svd", ANNOTATIONS / "svd_test_groundtruth.txt")
