"""What is installed is named once, with its version and the digests of its files."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-cpu.lock", "requirements-cuda.lock", "requirements-tools.lock")


def entries(lock: str) -> list[str]:
    return re.split(r"(?m)^(?=\S)", (ROOT / lock).read_text(encoding="utf-8"))[1:]


def name(entry: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[=<>~ \[;]", entry)[0]).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_each_package_stands_once_with_a_version_and_digests(lock: str) -> None:
    found = entries(lock)
    assert found
    assert [each for each, n in Counter(map(name, found)).items() if n > 1] == []
    entry = re.compile(r"\S+==\S+( ; .+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+")
    assert [name(each) for each in found if not entry.fullmatch(each)] == []


def test_builds_for_cuda_add_what_is_not_there_already() -> None:
    shared = {name(each) for each in entries("requirements.lock")}
    assert {name(each) for each in entries("requirements-cuda.lock")}.isdisjoint(shared)


def test_the_build_for_cpu_is_of_the_version_that_is_locked() -> None:
    (version,) = re.findall(
        r"(?m)^torch==(\S+)\+cpu ", (ROOT / "requirements-cpu.lock").read_text(encoding="utf-8")
    )
    assert f"torch=={version} \\\n" in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_no_lock_names_a_host_or_a_file() -> None:
    for lock in LOCKS:
        assert "/" not in "".join(entries(lock))


def test_setup_installs_nothing_whose_digest_is_not_known() -> None:
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8")
    (options,) = re.findall(r"(?m)^LOCKED := (.+)$", recipes)
    assert options.split() == ["--no-deps", "--require-hashes", "--no-build-isolation"]
    from_locks = re.findall(r"pip install [^;|&\n]*-r \S+", recipes)
    assert len(from_locks) == len(LOCKS) + 1  # setuptools comes first
    assert all("$(LOCKED)" in each for each in from_locks)
