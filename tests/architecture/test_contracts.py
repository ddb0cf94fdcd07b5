"""Who may import whom, as stated in pyproject.toml, and what a light import may load."""

import subprocess
import sys
from pathlib import Path

import pytest

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


def test_the_query_service_needs_no_mlflow() -> None:
    code = """
import sys
for name in ("mlflow", "dvc", "prefect", "great_expectations", "streamlit"):
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
