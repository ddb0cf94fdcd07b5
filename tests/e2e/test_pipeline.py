"""Every stage of dvc.yaml on a small real archive, and then every command on what the stages made."""

import json
from pathlib import Path
from typing import Any

import pytest

from dns_core.errors import MismatchError
from dns_core.evaluation.cost import SearchCost
from dns_core.index import open_index
from dns_core.params import load_params, run_stage
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.engine import Engine
from dns_core.store.index_parts import bytes_read
from dns_core.workspace import StageContext, Workspace

FINES = ("fine_attention", "fine_binary")
POLICIES = {"selector", "random", "highest coarse score", "coarse score nearest a threshold"}
MATCH_KEYS = {"video_id", "score", "stage", "segments", "relation", "rate", "file"}
SEGMENT_KEYS = {"query_start_s", "query_end_s", "target_start_s", "target_end_s", "score"}

# Given by the fixtures of conftest.py.
Dns = Any
Order = list[tuple[str, str, list[Path]]]


@pytest.fixture
def database(data: Path) -> Path:
    return data / "test" / "database"


@pytest.fixture
def index(workspace_copy: Path) -> Path:
    """The index over the database, which a test may change."""
    return workspace_copy / "artifacts" / "index"


@pytest.fixture(scope="module")
def report(finished: Path) -> dict[str, Any]:
    return dict(json.loads((finished / "artifacts" / "report.json").read_text()))


def answers(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_every_declared_output_is_there_and_no_work_is_left_over(finished: Path, order: Order) -> None:
    declared = [finished / path for _, _, outputs in order for path in outputs]
    assert len(declared) == 45
    assert [path for path in declared if not path.exists()] == []
    assert [path for path in finished.rglob("*") if path.name.startswith(".partial-")] == []
    assert [path for path in (finished / "artifacts" / ".partial").rglob("*") if path.is_file()] == []


def test_nothing_is_written_that_no_stage_declares(finished: Path, order: Order) -> None:
    declared = [finished / path for _, _, outputs in order for path in outputs]
    strays = [
        path
        for path in (finished / "artifacts").rglob("*")
        if path.is_file() and not any(path.is_relative_to(output) for output in declared)
    ]
    assert strays == []


def test_report_has_every_method_at_every_budget(finished: Path, report: dict[str, Any]) -> None:
    budgets = load_params(finished / "params.yaml").model_dump()["evaluate"]["budgets"]
    alone = [row["method"] for row in report["methods"] if row["budget"] is None]
    assert sorted(alone) == ["coarse", *FINES, "teacher"]
    for fine in FINES:
        found = [row["budget"] for row in report["methods"] if row["method"] == f"dns_{fine}"]
        assert found == list(budgets)
    for row in report["methods"]:
        assert set(row["map"]) == {"DSVR", "CSVR", "ISVR"}
        assert all(0 < value <= 1 for value in row["map"].values())
        assert row["seconds_per_query"] > 0
        assert row["bytes_per_video"] > 0
        if row["method"] != "teacher":
            least, most = row["seconds_range"]
            assert least <= row["seconds_per_query"] <= most


def test_report_takes_the_cost_of_a_query_apart(report: dict[str, Any]) -> None:
    costs = report["costs"]
    assert set(costs["search"]) == set(FINES)
    for found in costs["search"].values():
        assert SearchCost(**found).fixed_s > 0
    by_method = {row["method"]: row["bytes_per_video"] for row in report["methods"]}
    assert bytes_read(costs["bytes"], "fine_binary") == pytest.approx(by_method["fine_binary"], abs=1)
    assert costs["query_frames"] > 0 < costs["frames"]


def test_report_covers_the_whole_database(report: dict[str, Any]) -> None:
    assert (report["database"], report["queries"], report["coverage"]) == (8, 3, 1.0)
    assert {row["coverage"] for row in report["methods"]} == {1.0}


def test_the_ends_of_the_budget_are_the_coarse_and_the_fine_search(report: dict[str, Any]) -> None:
    rows = {(row["method"], row["budget"]): row["map"] for row in report["methods"]}
    for fine in FINES:
        assert rows[f"dns_{fine}", 0.0] == rows["coarse", None]
        assert rows[f"dns_{fine}", 1.0] == rows[fine, None]


def test_report_compares_the_selector_with_three_policies(report: dict[str, Any]) -> None:
    assert set(report["selection"]) == set(FINES)
    for policies in report["selection"].values():
        assert set(policies) == POLICIES
        assert all(0 < policy["area"] <= 1 for policy in policies.values())
        # With nothing or everything re-ranked there is nothing to choose.
        assert len({(policy["map"][0], policy["map"][-1]) for policy in policies.values()}) == 1


def test_a_copy_is_found_above_chance(report: dict[str, Any]) -> None:
    teacher = next(row for row in report["methods"] if row["method"] == "teacher")
    assert teacher["map"]["ISVR"] > 0.6


def test_query_ranks_and_locates(dns: Dns, data: Path, finished: Path, models: Path) -> None:
    clip = data / "test" / "queries" / "copy-001.mp4"
    index = finished / "artifacts" / "index"
    arguments = ["query", clip, "--index", index, "--models", models, "--top", 8, "--budget", 1]
    (answer,) = answers(dns(*arguments, "--json").stdout)
    assert [set(row) for row in answer["results"]] == [MATCH_KEYS] * 8
    # The video that the query is a copy of; others share a shot of a frame or two, which is no segment.
    (source,) = (row for row in answer["results"] if row["video_id"] == "archive-004.mp4")
    assert source["segments"]
    assert all(set(s) == SEGMENT_KEYS for row in answer["results"] for s in row["segments"])
    table = dns(*arguments).stdout
    assert answer["results"][0]["video_id"] in table
    assert "compared with 100.0% of the corpus" in table


@pytest.mark.parametrize("budget", [0, 0.5, 1])
def test_query_of_length_0_ranks_the_whole_database(
    dns: Dns, data: Path, finished: Path, models: Path, budget: float
) -> None:
    clips = sorted((data / "test" / "queries").iterdir())
    index = finished / "artifacts" / "index"
    output = dns(
        "query", *clips, "--index", index, "--models", models, "--json", "--top", 0, "--budget", budget
    )
    found = answers(output.stdout)
    assert len(found) == 3
    for answer in found:
        assert sorted(row["video_id"] for row in answer["results"]) == sorted(open_index(index).ids)
        scores = [row["score"] for row in answer["results"]]
        assert scores == sorted(scores, reverse=True)
        assert 0 <= scores[-1] <= scores[0] <= 1
        assert answer["coverage"] == 1
        assert sum(row["stage"] == "fine" for row in answer["results"]) == 8 * budget


def test_a_file_of_the_database_finds_itself_first(
    dns: Dns, database: Path, finished: Path, models: Path
) -> None:
    clips = sorted(database.iterdir())
    arguments = ["query", *clips, "--index", finished / "artifacts" / "index", "--models", models, "--json"]
    coarse = answers(dns(*arguments, "--budget", 0).stdout)
    assert [answer["results"][0]["video_id"] for answer in coarse] == [clip.name for clip in clips]
    # Networks of two epochs clip the similarity of videos that share a shot, so that other videos may tie.
    for clip, answer in zip(clips, answers(dns(*arguments, "--budget", 1).stdout), strict=True):
        scores = {row["video_id"]: row["score"] for row in answer["results"]}
        assert scores[clip.name] == max(scores.values())


def test_compare_of_a_video_with_itself(dns: Dns, database: Path, models: Path) -> None:
    one, other = database / "archive-001.mp4", database / "archive-006.mp4"
    same = json.loads(dns("compare", one, one, "--models", models, "--json").stdout)
    different = json.loads(dns("compare", one, other, "--models", models, "--json").stdout)
    assert same["raw_score"] > 0.9
    assert different["score"] < same["score"] <= 1
    (segment,) = same["segments"]
    assert segment["query_start_s"] == segment["target_start_s"] == 0
    assert segment["query_end_s"] == segment["target_end_s"] > 4
    assert "score" in dns("compare", one, one, "--models", models).stdout


def test_index_commands_work_together(dns: Dns, database: Path, models: Path, tmp_path: Path) -> None:
    index, clip = tmp_path / "index", database / "archive-003.mp4"
    with_models = ["--models", models, "--json"]
    built = json.loads(dns("index", "build", "--videos", database, "--out", index, *with_models).stdout)
    assert (built["version"], built["n_videos"], built["quarantine"]) == (1, 8, [])
    before = dns("query", clip, "--index", index, *with_models, "--top", 0).stdout
    removed = json.loads(dns("index", "remove", index, clip.name, "--json").stdout)
    assert removed["n_videos"] == 7
    assert clip.name not in dns("query", clip, "--index", index, *with_models, "--top", 0).stdout.split('"')
    added = json.loads(dns("index", "add", index, clip, *with_models).stdout)
    assert added["n_videos"] == 8
    assert dns("index", "compact", index).exit_code == 0
    assert dns("index", "verify", index).exit_code == 0
    info = json.loads(dns("index", "info", index, "--json").stdout)
    assert (info["n_videos"], info["version"]) == (8, 4)
    assert set(info["models"]) == {
        "backbone",
        "whitening",
        "coarse",
        *FINES,
        *(f"selector_{f}" for f in FINES),
    }
    after = dns("query", clip, "--index", index, *with_models, "--top", 0).stdout
    assert json.loads(after)["results"] == json.loads(before)["results"]


def test_videos_indexed_by_command_are_described_as_by_the_stages(
    dns: Dns, database: Path, finished: Path, models: Path, tmp_path: Path
) -> None:
    by_stages = finished / "artifacts" / "index"
    assert (
        dns("index", "build", "--videos", database, "--out", tmp_path / "i", "--models", models).exit_code
        == 0
    )
    clip = database / "archive-002.mp4"
    rankings = []
    for index in (by_stages, tmp_path / "i"):
        (answer,) = answers(
            dns("query", clip, "--index", index, "--models", models, "--json", "--budget", 1).stdout
        )
        rankings.append({row["video_id"]: row["score"] for row in answer["results"]})
    # The stages keep features in half precision on the way.
    assert rankings[1] == pytest.approx(rankings[0], abs=0.02)


def test_an_index_of_other_models_is_refused(dns: Dns, data: Path, workspace_copy: Path, index: Path) -> None:
    params = load_params(workspace_copy / "params.yaml", ["train_student.seed=2"])
    models = workspace_copy / "artifacts" / "models"
    old = Bundle.load(models).fingerprint("fine_binary")
    run_stage("train_student", params, StageContext(Workspace(workspace_copy), item="fine_binary"))
    bundle = Bundle.load(models)
    new = bundle.fingerprint("fine_binary")
    assert old != new
    with pytest.raises(MismatchError) as refused:
        Engine(open_index(index), bundle)
    assert (refused.value.what, refused.value.expected, refused.value.found) == ("fine_binary", new, old)
    clip = data / "test" / "queries" / "copy-001.mp4"
    for arguments in (["query", clip, "--index", index], ["index", "add", index, clip]):
        result = dns(*arguments, "--models", models)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1
        assert old in result.stderr
        assert new in result.stderr


def test_evaluate_agrees_with_the_report(
    dns: Dns, data: Path, finished: Path, models: Path, report: dict[str, Any]
) -> None:
    result = dns(
        "evaluate",
        *("--index", finished / "artifacts" / "index", "--models", models, "--budget", 1, "--json"),
        *("--queries", data / "test" / "queries", "--ground-truth", data / "test" / "ground_truth.json"),
    )
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    row = next(row for row in report["methods"] if row["method"] == "fine_binary")
    for task, expected in row["map"].items():
        assert found["tasks"][task]["mean_average_precision"] == pytest.approx(expected, abs=0.1)
    assert found["coverage"] == 1


def _described(workspace: Path) -> None:
    """Says of each query what a benchmark would say: every second one an excerpt."""
    truth = json.loads((workspace / "data/test/ground_truth.json").read_text())
    edits = ("trim", "crop")
    queries = {
        query: {
            "query": query,
            "video_id": next(iter(truth["queries"][query]["labels"])),
            "edit": edits[number % 2],
            "edits": [edits[number % 2]],
            "strength": "medium",
        }
        for number, query in enumerate(truth["queries"])
    }
    content = {"format": 1, "config": {"seed": 1}, "queries": queries}
    (workspace / "data/benchmark.json").write_text(json.dumps(content))


def test_a_benchmark_judges_every_method_on_the_same_queries(workspace_copy: Path, dns: Dns) -> None:
    _described(workspace_copy)
    printed = dns("benchmark", "run", "--no-peers", str(workspace_copy))
    assert printed.exit_code == 0, printed.output
    found = json.loads(dns("benchmark", "run", "--reuse", "--json", str(workspace_copy)).stdout)
    methods = {row["method"]: row for row in found["methods"]}
    assert {"raw Chamfer", "mean vector", "teacher", *FINES, "coarse", "dns_fine_binary 30%"} <= set(methods)
    assert set(methods["teacher"]["by_edit"]) == {"trim", "crop"}
    assert all(0 < row["map"] <= 1 and row["by_strength"].keys() == {"medium"} for row in methods.values())
    for fine in FINES:
        curves = found["selection"][fine]
        assert set(curves) == POLICIES
        assert all(len(curve) == len(found["budgets"]) == 21 for curve in curves.values())
        for curve in curves.values():
            assert curve[-1] == pytest.approx(methods[fine]["map"])
            assert curve[0] == pytest.approx(methods["coarse"]["map"])
        assert set(found["segments"][fine]) == {"all", "excerpts, medium"}
        for finder in ("temporal network", "local alignments"):
            assert set(found["localisation"][f"{fine}, {finder}"]) == {"all", "excerpts, medium"}
    for name in ("raw Chamfer", "mAP by edit", "matched segments", "located", "chosen by"):
        assert name in printed.output
    assert "absent" not in printed.output
