"""Who may import whom, as stated in pyproject.toml, and what a light import may load."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dns_core.video import write_video

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "torch",
    "faiss",
    "av",
    "numba",
    "h5py",
    "sklearn",
    "pyarrow",
    "scipy",
    "matplotlib",
    "dvc",
    "mlflow",
    "prefect",
)


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_contracts_are_kept() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    "module",
    [
        "dns_core",
        "dns_core.records",
        "dns_core.errors",
        "dns_core.ports",
        "dns_core.evaluation",
        "dns_core.datasets",
        "dns_core.stages",
        "dns_apps.service.client",
    ],
)
def test_light_modules_load_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert run(code).strip() == "[]"


def test_the_front_door_loads_no_torch_before_it_is_used() -> None:
    assert run("import sys, dns_core.search; print('torch' in sys.modules)").strip() == "False"


TRAINING_ONLY = ("torch", "onnx", "onnxscript", "h5py", "sklearn", "scipy", "pyarrow", "pandas", "matplotlib")


def test_an_index_is_built_and_searched_without_what_training_needs(tmp_path: Path) -> None:
    """By the commands of a fresh interpreter to which those packages are not installed."""
    pattern = np.random.default_rng(0).integers(0, 255, (12, 40, 3), dtype=np.uint8)
    wall = pattern.repeat(16, axis=0).repeat(16, axis=1)
    write_video(
        tmp_path / "videos" / "a.mp4", [wall[n : n + 120, 9 * n : 9 * n + 160] for n in range(32)], 8.0
    )
    code = f"""
import sys
for name in {TRAINING_ONLY!r}:
    sys.modules[name] = None
from dns_apps.cli.main import main
main()
"""

    def dns(*arguments: object) -> str:
        line = [sys.executable, "-c", code, *map(str, arguments)]
        done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    dns("index", "build", "--videos", tmp_path / "videos", "--out", tmp_path / "index")
    found = json.loads(dns("query", tmp_path / "videos" / "a.mp4", "--index", tmp_path / "index", "--json"))
    assert [match["video_id"] for match in found["results"]] == ["a.mp4"]


def test_the_query_service_needs_no_mlflow() -> None:
    code = """
import sys
for name in ("mlflow", "dvc", "prefect", "great_expectations", "streamlit", "torch", "h5py", "sklearn"):
    sys.modules[name] = None
import dns_ops.releases.release
import dns_apps.service.app
print("imported")
"""
    assert run(code).strip() == "imported"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["query", "--help"], ["index", "--help"], ["serve", "--help"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from dns_apps.cli.main import main
sys.argv = ["dns", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", [m for m in {HEAVY!r} if m in sys.modules])
"""
    assert run(code).splitlines()[-1] == "LOADED []"


def test_the_command_line_loads_no_numpy_before_a_command_runs() -> None:
    assert run("import sys, dns_apps.cli.main; print('numpy' in sys.modules)").strip() == "False"
