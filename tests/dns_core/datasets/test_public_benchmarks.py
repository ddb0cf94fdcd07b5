"""The public annotation files, as they are published and as they should not be."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from dns_core.datasets import read_ground_truth, write_ground_truth
from dns_core.datasets.benchmark import Benchmark, Judged, read_benchmark, write_benchmark
from dns_core.datasets.registry import DATASETS, read_dataset
from dns_core.errors import ForeignFileError, GroundTruthError, InputError
from dns_core.records import GroundTruth, Segment
from tests.oracles.malicious_pickle import Command
from tests.oracles.reference_files import ANNOTATIONS, WHOLE

FILES = {
    "fivr-5k": "fivr.pickle",
    "cc_web_video": "cc_web_video.pickle",
    "evve": "evve.pickle",
    "svd-labelled": "svd_test_groundtruth.txt",
}


@pytest.fixture
def distractors(tmp_path: Path) -> Path:
    path = tmp_path / "unlabeled-data-id"
    path.write_text("u1\nu2\nu3\n")
    return path


@pytest.mark.parametrize("name", FILES)
def test_a_published_file_and_what_it_is_converted_to_say_the_same(name: str, tmp_path: Path) -> None:
    benchmark = read_dataset(name, ANNOTATIONS / FILES[name])
    assert benchmark.name == DATASETS[name].name
    assert set(benchmark.truth.labels) == set(benchmark.truth.queries)
    write_benchmark(tmp_path / "b.json", benchmark)
    assert read_dataset(name, tmp_path / "b.json") == benchmark
    assert read_ground_truth(tmp_path / "b.json") == benchmark.truth


def test_fivr_has_nested_tasks_and_one_label_a_pair() -> None:
    truth = read_dataset("fivr-5k", ANNOTATIONS / "fivr.pickle").truth
    assert (len(truth.queries), len(truth.database)) == (50, 5000)
    dsvr, csvr, isvr = (truth.positives(task) for task in ("DSVR", "CSVR", "ISVR"))
    assert all(dsvr[q] <= csvr[q] <= isvr[q] for q in truth.queries)
    assert sum(map(len, isvr.values())) == sum(map(len, truth.labels.values()))


@pytest.mark.skipif(not WHOLE, reason="needs the whole annotation file: set DNS_PARITY_DIR")
def test_fivr_200k() -> None:
    truth = read_dataset("fivr-200k", ANNOTATIONS / "fivr.pickle").truth
    assert (len(truth.queries), len(truth.database)) == (100, 225_960)


def test_cc_web_video_keeps_labels_of_videos_that_it_does_not_list() -> None:
    benchmark = read_dataset("cc_web_video", ANNOTATIONS / "cc_web_video.pickle")
    unlisted = [video for video in benchmark.truth.database if video.startswith("unlisted/")]
    assert len(benchmark.truth.queries) == 24
    assert len(unlisted) == 10
    assert len(benchmark.truth.database) == 13_115 + len(unlisted)
    assert benchmark.judged["mAP_c"] == Judged(labelled_only=True, clean=True)
    assert "12/12_577_Y" in benchmark.excluded["1/1_1_Y"]


def test_evve_knows_the_event_of_each_query() -> None:
    benchmark = read_dataset("evve", ANNOTATIONS / "evve.pickle")
    assert len(benchmark.truth.queries) == len(benchmark.groups) == 620
    assert len(set(benchmark.groups.values())) == 13
    assert benchmark.measure == "trapezoid"


def test_svd_compares_with_labelled_videos_and_distractors(distractors: Path) -> None:
    benchmark = read_dataset("svd", ANNOTATIONS / "svd_test_groundtruth.txt", distractors)
    assert len(benchmark.truth.queries) == 206
    assert benchmark.distractors == {"u1", "u2", "u3"}
    assert benchmark.distractors <= set(benchmark.truth.database)


def test_svd_without_its_distractors_says_who_publishes_them() -> None:
    with pytest.raises(GroundTruthError, match=r"unlabeled-data-id: .* published as .*svdbase\.github\.io"):
        read_dataset("svd", ANNOTATIONS / "svd_test_groundtruth.txt")


def test_vcdb_pairs_hold_in_both_directions_with_their_seconds(tmp_path: Path) -> None:
    (tmp_path / "a_goal.txt").write_text("a.flv,b.flv,00:00:10,00:00:25,00:01:00,00:01:15\n")
    (tmp_path / "b_song.txt").write_text(
        "a.flv,b.flv,01:00:00,01:00:02,00:00:01,00:00:03\nc.flv,c.flv,0:0:0,0:0:1,0:0:2,0:0:3\n"
    )
    truth = read_dataset("vcdb", tmp_path).truth
    assert truth.queries == truth.database == ("a", "b")
    assert truth.labels == {"a": {"b": "COPY"}, "b": {"a": "COPY"}}
    assert truth.segments["a"]["b"] == (Segment(10, 25, 60, 75, 1.0), Segment(3600, 3602, 1, 3, 1.0))
    assert truth.segments["b"]["a"][0] == Segment(60, 75, 10, 25, 1.0)


@pytest.mark.parametrize("name", [*FILES, "vcdb", "fivr-200k-audio"])
def test_a_missing_file_is_named_with_who_publishes_it(name: str, tmp_path: Path) -> None:
    path = tmp_path if name == "vcdb" else tmp_path / "absent"
    with pytest.raises(GroundTruthError, match=r"published as .*(GitHub|svdbase|VCDB)"):
        read_dataset(name, path)


@pytest.mark.parametrize("name", ["fivr-5k", "cc_web_video", "evve"])
def test_an_annotation_file_that_runs_a_command_is_refused_and_not_run(name: str, tmp_path: Path) -> None:
    path, proof = tmp_path / "evil.pickle", tmp_path / "proof"
    path.write_bytes(pickle.dumps({"annotation": Command(proof)}))
    with pytest.raises(ForeignFileError, match=r"evil\.pickle: .* asks for posix\.system"):
        read_dataset(name, path)
    assert not proof.exists()
    pickle.loads(path.read_bytes())
    assert proof.exists(), "the annotation file would have run the command"


FIVR: dict[str, Any] = {
    "5k": {"queries": ["q"], "database": {"a", "b", "q"}},
    "annotation": {"q": {"ND": ["a"], "DS": ["a", "b"], "IS": ["far"], "DA": ["b"]}},
}


def fivr(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "fivr.pickle"
    path.write_bytes(pickle.dumps({**FIVR, **changes}))
    return path


def test_the_strongest_label_counts_and_videos_outside_the_database_do_not(tmp_path: Path) -> None:
    assert read_dataset("fivr-5k", fivr(tmp_path)).truth.labels == {"q": {"a": "ND", "b": "DS"}}
    assert read_dataset("fivr-5k-audio", fivr(tmp_path)).truth.labels == {"q": {"b": "DA"}}


def test_audio_labels_that_name_labels_instead_of_videos_are_refused() -> None:
    with pytest.raises(
        GroundTruthError, match=r"annotation\..*\.DA: expected video ids, found names of labels"
    ):
        read_dataset("fivr-5k-audio", ANNOTATIONS / "fivr.pickle")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotation": {}}, "annotation: expected a key 'q'"),
        (
            {"5k": {"queries": ["q", "q"], "database": set()}},
            r"5k\.queries: expected different strings, found \['q'\]",
        ),
        ({"5k": {"queries": ["q"], "database": [3]}}, r"5k\.database\[0\]: expected a string"),
        ({"5k": 7}, "5k: expected an object, found 7"),
        ({"annotation": {"q": {"ND": "a"}}}, r"annotation\.q\.ND: expected a list, found 'a'"),
    ],
)
def test_what_does_not_say_what_it_should_is_named(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(GroundTruthError, match=rf"fivr\.pickle: {message}"):
        read_dataset("fivr-5k", fivr(tmp_path, **changes))


@pytest.mark.parametrize("line", ["q v", "q v 2", "q v 1 1"])
def test_a_line_of_svd_that_says_something_else_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "test_groundtruth"
    path.write_text(f"q a 1\n{line}\n")
    with pytest.raises(GroundTruthError, match="line 2: expected query, video and 1 or 0"):
        read_dataset("svd-labelled", path)


def test_contradicting_labels_and_repeated_distractors_are_named(tmp_path: Path, distractors: Path) -> None:
    path = tmp_path / "test_groundtruth"
    path.write_text("q a 1\nq a 0\n")
    with pytest.raises(GroundTruthError, match="line 2: expected one label a pair"):
        read_dataset("svd-labelled", path)
    path.write_text("q a 1\n")
    distractors.write_text("u1\nu1\n")
    with pytest.raises(GroundTruthError, match="expected different ids, found 1 repeated"):
        read_dataset("svd", path, distractors)


@pytest.mark.parametrize(
    "line", ["a,b,0:0:1,0:0:2", "a,b,0:0:2,0:0:1,0:0:1,0:0:2", "a,b,x,y,z,w", "a,b,1,2,3,4", ",,,,,"]
)
def test_a_line_of_vcdb_that_says_something_else_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(line)
    with pytest.raises(GroundTruthError, match=r"a\.txt: line 1: expected two videos and two stretches"):
        read_dataset("vcdb", tmp_path)


def test_unknown_datasets_and_files_of_another_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown dataset 'fivr'; known: fivr-5k"):
        read_dataset("fivr", tmp_path)
    write_benchmark(tmp_path / "b.json", Benchmark("EVVE", TRUTH))
    with pytest.raises(GroundTruthError, match=r"benchmark\.name: expected FIVR-5K, found EVVE"):
        read_dataset("fivr-5k", tmp_path / "b.json")


TRUTH = GroundTruth(("q",), ("a", "b"), {"q": {"a": "ND"}}, {"mAP": ("ND",)})


def test_rules_of_tasks_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GroundTruthError, match=r"benchmark\.judged: expected only tasks, found \['CSVR'\]"):
        write_benchmark(tmp_path / "b.json", Benchmark("X", TRUTH, judged={"CSVR": Judged()}))


def test_a_plain_ground_truth_is_a_benchmark_without_special_rules(tmp_path: Path) -> None:
    write_ground_truth(tmp_path / "mine.json", TRUTH)
    assert read_benchmark(tmp_path / "mine.json") == Benchmark("mine", TRUTH)
