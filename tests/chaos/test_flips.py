"""A bit that flips in any file is an error of one line, or changes nothing; never another answer."""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from dns_core.errors import DnsError
from dns_core.index import open_index
from dns_core.params import load_params, run_stage
from dns_core.retrieval.bundle import SHIPPED_MODELS
from dns_core.search import Searcher
from dns_core.workspace import StageContext, Workspace
from tests.chaos.conftest import LONG, ROOT, copied

pytestmark = pytest.mark.chaos

ROUNDS = 40 if LONG else 2
# a stage, its item, and what it writes, for each folder that it reads
READERS = {
    "features": ("fit_whitening", "", "artifacts/models/whitening.safetensors"),
    "whitened": ("split_videos", "", "artifacts/split.json"),
    "pairs": ("validate_pairs", "teacher", "artifacts/quality/validate_pairs_teacher.passed"),
    "models": ("score_pairs", "teacher", "artifacts/pairs/labelled_teacher.parquet"),
}


def flip(file: Path, chance: Random) -> None:
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.unlink()
    file.write_bytes(content)


def answers(index: Path, models: Path, query: Path) -> list[tuple[str, float]]:
    found = Searcher.of_models(models).over(open_index(index)).query(query, budget="1")
    return [(match.video_id, match.score) for match in found.results]


def outcome(root: Path, query: Path) -> list[tuple[str, float]] | str:
    """What a search finds, or the error that it ends with."""
    try:
        return answers(root / "index", root / "bundle", query)
    except DnsError as error:
        return str(error)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["index", "bundle"])
def test_a_query(built: Path, excerpt: Path, note: Callable[..., None], chance: Random, kind: str) -> None:
    expected = answers(built, SHIPPED_MODELS, excerpt)
    for _ in range(ROUNDS):
        with TemporaryDirectory() as folder:
            root = Path(folder)
            shutil.copytree(built, root / "index")
            shutil.copytree(SHIPPED_MODELS, root / "bundle")
            files = (file for file in sorted((root / kind).rglob("*")) if file.is_file())
            flip(chance.choice([f for f in files if f.suffix != ".md" and f.stat().st_size]), chance)
            found = outcome(root, excerpt)
        assert "\n" not in found
        said = "an error" if isinstance(found, str) else "the same answer"
        note(f"flipped bit: {kind}, {said}", lost=not isinstance(found, str) and found != expected)


def ran(root: Path, name: str, item: str, output: str) -> bytes | str:
    """What a stage writes, or the error that it ends with."""
    try:
        run_stage(name, load_params(root / "params.yaml"), StageContext(Workspace(root), item=item))
    except DnsError as error:
        return str(error)
    return (root / output).read_bytes()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", READERS)
def test_a_stage(
    finished: Path, tmp_path: Path, note: Callable[..., None], chance: Random, kind: str
) -> None:
    output = READERS[kind][-1]
    expected = (finished / output).read_bytes()
    for number in range(ROUNDS):
        root = copied(finished, tmp_path / str(number))
        (root / output).unlink()
        read = [file for file in sorted((root / "artifacts" / kind).rglob("*")) if file.is_file()]
        flip(chance.choice(read), chance)
        found = ran(root, *READERS[kind])
        assert isinstance(found, bytes) or "\n" not in found
        said = "an error" if isinstance(found, str) else "the same result"
        lost = not isinstance(found, str) and found != expected
        note(f"flipped bit: {kind}, {said}", lost=lost)
        shutil.rmtree(root)


def test_parameters(tmp_path: Path, note: Callable[..., None], chance: Random) -> None:
    for _ in range(10 * ROUNDS):
        shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
        flip(tmp_path / "params.yaml", chance)
        said = "other values, which DVC sees"
        try:
            load_params(tmp_path / "params.yaml")
        except DnsError:
            said = "an error"
        note(f"flipped bit: params.yaml, {said}")
