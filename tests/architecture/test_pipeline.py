"""A stage has one name everywhere, and DVC knows all the code that a stage runs."""

import importlib
import inspect
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from dns_core.errors import ParamsError
from dns_core.params import load_params
from dns_core.stages import STAGES
from dns_ops.dag import read_dag

ROOT = Path(__file__).resolve().parents[2]
STAGE_ENTRIES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
DVC = {name: entry.get("do", entry) for name, entry in STAGE_ENTRIES.items()}

# Names and types without behaviour, of which a change that matters shows in the code that uses them; and how
# many threads compute, which changes no result.
FOUNDATIONS = {
    "dns_core",
    "dns_core.cores",
    "dns_core.errors",
    "dns_core.fleet",
    "dns_core.ports",
    "dns_core.records",
    "dns_core.stages",
    "dns_core.workspace",
}


@cache
def import_graph() -> Any:
    return grimp.build_graph("dns_core", cache_dir=None)


def module_file(module: str) -> Path:
    path = ROOT / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def code_of(stage: str) -> set[Path]:
    """Files of all modules that a stage runs, its own included."""
    module = f"dns_core.stages.{stage}"
    modules = {module, *import_graph().find_upstream_modules(module)} - FOUNDATIONS
    return {module_file(name).relative_to(ROOT) for name in modules}


def code_deps(stage: str) -> list[Path]:
    return [Path(dep) for dep in DVC[stage]["deps"] if dep.startswith("dns_core")]


def params_of(stage: str) -> list[str]:
    return [name for name in DVC[stage]["params"] if isinstance(name, str)]


def test_stages_have_one_name_in_dvc_in_params_and_in_code() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert list(DVC) == list(STAGES)
    assert sorted(params) == sorted(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_a_module_with_config_and_run_that_says_what_it_does(stage: str) -> None:
    module = importlib.import_module(f"dns_core.stages.{stage}")
    assert list(inspect.signature(module.run).parameters) == ["config", "context"]
    assert module.Config.model_config["extra"] == "forbid"
    assert module.Config.model_config["frozen"]
    lines = [line.partition(":")[0] for line in (module.__doc__ or "").splitlines()]
    positions = [lines.index(word) for word in ("Reads", "Writes", "Params", "Repeats exactly")]
    assert positions == sorted(positions)


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_runs_a_stage_by_its_name_and_watches_its_params_alone(stage: str) -> None:
    items = "".join(f"@${{item.{key}}}" for key in DVC[stage].get("matrix", {}))
    if "foreach" in STAGE_ENTRIES[stage]:
        items = "@${key}"
    assert DVC[stage]["cmd"] == f"dns stage {stage}{items}"
    assert params_of(stage)
    assert all(name.partition(".")[0] == stage for name in params_of(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_watches_all_the_code_that_a_stage_runs(stage: str) -> None:
    deps = code_deps(stage)
    unwatched = [f for f in code_of(stage) if not any(f == dep or dep in f.parents for dep in deps)]
    assert not unwatched, f"add to deps of {stage}: {', '.join(sorted(map(str, unwatched)))}"


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_watches_no_code_that_a_stage_does_not_run(stage: str) -> None:
    code = code_of(stage)
    idle = [dep for dep in code_deps(stage) if not any(f == dep or dep in f.parents for f in code)]
    assert not idle, f"remove from deps of {stage}: {', '.join(sorted(map(str, idle)))}"


def test_the_params_file_validates() -> None:
    params = load_params(ROOT / "params.yaml")
    assert set(type(params).model_fields) == set(STAGES)


def altered(tmp_path: Path, old: str, new: str) -> Path:
    text = (ROOT / "params.yaml").read_text()
    assert old in text
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("probe_videos:", "probe_video:", "probe_video"),
        ("  longest_s:", "  longest:", "longest"),
        ("sampling_fps: 2", "sampling_fps: -2", "sampling_fps"),
        ("sampling_fps: 2", "sampling_fps: often", "sampling_fps"),
        ("    edits_per_view:", "    edits_a_view:", "edits_a_view"),
        ("learns_from: teacher", "learns_from: coarse", "learns_from"),
        ("learns_from: teacher", "learns_from: fine_attention", "before it is trained"),
    ],
)
def test_a_wrong_params_file_is_an_error_that_names_the_key(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    with pytest.raises(ParamsError, match=named):
        load_params(altered(tmp_path, old, new))


def test_a_params_file_that_is_no_text_is_one_error(tmp_path: Path) -> None:
    content = bytearray((ROOT / "params.yaml").read_bytes())
    content[100] ^= 0x80
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(ParamsError, match="not YAML"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("override", ["probe_videos.longest=3", "nothing=1", "probe_videos.longest_s"])
def test_a_misspelt_override_is_an_error(override: str) -> None:
    with pytest.raises(ParamsError):
        load_params(ROOT / "params.yaml", [override])


def test_training_waits_for_validation_and_for_the_one_file_of_it_that_never_changes() -> None:
    waited = {
        step.name: [need for need in step.needs if need.startswith("validate_")] for step in read_dag(ROOT)
    }
    assert waited["train_teacher"] == ["validate_data"]
    students = {name: gates for name, gates in waited.items() if name.startswith("train_student@")}
    assert len(students) == 3
    assert all(len(gates) == 1 and gates[0].startswith("validate_pairs@") for gates in students.values())
    for stage in ("train_teacher", "train_student"):
        (gate,) = [dep for dep in DVC[stage]["deps"] if dep.startswith("artifacts/quality/")]
        assert gate.endswith(".passed")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
def test_a_clone_holds_no_data() -> None:
    """The demo films into an empty folder, and refuses one that holds anything else."""
    listed = ["git", "ls-files", "data", "artifacts", "releases", "demo"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
