"""Rules of style that the linter does not know."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("dns_core", "dns_ops", "dns_apps", "flows", "dashboards", "benchmarks")
MODULES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tree_of(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def code_lines(function: Function) -> int:
    """Lines of a function without its docstring."""
    assert function.end_lineno is not None
    total = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        total -= first.end_lineno - first.lineno + 1
    return total


def undocumented(node: ast.AST, inside: str = "") -> Iterator[str]:
    """Public functions, methods and classes without a docstring; what is nested in functions is private."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.ClassDef) or child.name.startswith("_"):
            continue
        name = f"{inside}{child.name}"
        if ast.get_docstring(child) is None:
            yield name
        if isinstance(child, ast.ClassDef):
            yield from undocumented(child, f"{name}.")


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 30


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_is_small_named_for_what_it_defines_and_documented(module: Path) -> None:
    tree = tree_of(module)
    assert len((ROOT / module).read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES
    assert not BANNED_NAMES & {module.stem.strip("_"), *module.parent.parts}
    assert ast.get_docstring(tree)
    assert [f.name for f in functions(tree) if code_lines(f) > MAX_FUNCTION_LINES] == []
    assert list(undocumented(tree)) == []


def test_an_effect_is_described_in_the_imperative() -> None:
    """ruff's D401, for effects alone: it would refuse the noun phrases that describe values."""
    asked = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "D401",
        "--output-format",
        "json",
    ]
    done = subprocess.run([*asked, *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False)
    found = {(Path(row["filename"]), row["location"]["row"]) for row in json.loads(done.stdout)}
    assert len(found) > 100  # noun phrases
    effects = {
        (ROOT / module, function.body[0].lineno): function.name
        for module in MODULES
        for function in functions(tree_of(module))
        if is_effect(function)
    }
    odd = [f"{path.relative_to(ROOT)}: {effects[path, row]}" for path, row in found & effects.keys()]
    assert not odd, "docs/style.md: an effect begins with a verb in the imperative"


def is_effect(function: Function) -> bool:
    """Whether a function is there for what it does: it returns nothing."""
    return function.returns is not None and ast.unparse(function.returns) == "None"
