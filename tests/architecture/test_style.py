"""Rules of style that the linter does not know."""

import ast
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


# Whose docstrings are not yet rewritten by docs/style.md.
NOT_YET = (
    "benchmarks",
    "dashboards",
    "dns_apps/service",
    "dns_ops/platform/services.py",
    "flows/server.py",
)
STATES = {"a", "an", "all", "each", "every", "how", "no", "the", "what", "whether", "whoever"}


@pytest.mark.parametrize("module", [m for m in MODULES if not m.as_posix().startswith(NOT_YET)], ids=str)
def test_an_effect_is_described_in_the_imperative(module: Path) -> None:
    effects = [function for function in functions(tree_of(module)) if is_effect(function)]
    firsts = {f.name: (ast.get_docstring(f) or "Do").split()[0] for f in effects}
    odd = {name: word for name, word in firsts.items() if word.lower() in STATES or word.startswith("`")}
    assert not odd, "docs/style.md: an effect begins with a verb in the imperative"


def is_effect(function: Function) -> bool:
    """Whether a function is there for what it does: it returns nothing."""
    return function.returns is not None and ast.unparse(function.returns) == "None"
