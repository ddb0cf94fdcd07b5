"""Every command block of the README, the tutorial and the guides works: it is run, or at least understood.

Blocks of a page are run one after the other in a folder with a few small videos. A block marked ``{.parsed}``
needs a network, a server or hours: its ``dns`` commands are parsed by the command line itself.
"""

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner

from dns_apps.cli.main import app
from dns_core.video import write_video

ROOT = Path(__file__).resolve().parents[2]
PAGES = [Path("docs/tutorial.md"), *sorted(p.relative_to(ROOT) for p in (ROOT / "docs/how-to").glob("*.md"))]
# These begin with an index that is there.
ON_AN_INDEX = [Path("README.md"), Path("docs/reference/index-format.md")]
BLOCK = re.compile(r"^```(console|python)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMES = ("a.mp4", "b.mp4", "c.mp4")


@dataclass(frozen=True)
class Block:
    """Lines of one block of a page."""

    language: str
    is_run: bool
    text: str

    @property
    def commands(self) -> list[str]:
        """What follows the prompt."""
        return [line[2:].split(" #")[0].rstrip() for line in self.text.splitlines() if line.startswith("$ ")]


def blocks(page: Path) -> list[Block]:
    found = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    return [Block(language, ".parsed" not in marks, text) for language, marks, text in found]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three videos of 4 s, a folder with a copy, a clip, a picture and a text."""
    folder = tmp_path_factory.mktemp("footage") / "my"
    for seed, name in enumerate(NAMES):
        wall = np.random.default_rng(seed).integers(0, 255, (12, 40, 3), dtype=np.uint8)
        wall = wall.repeat(16, axis=0).repeat(16, axis=1)
        frames = [wall[n : n + 120, 9 * n : 9 * n + 160] for n in range(32)]
        write_video(folder / "videos" / name, frames, 8.0)
    (folder / "copies").mkdir()
    shutil.copy(folder / "videos" / "b.mp4", folder / "copies" / "b-copy.mp4")
    shutil.copy(folder / "videos" / "a.mp4", folder / "clip.mp4")
    (folder / "notes.txt").write_text("no video")
    Image.fromarray(frames[16]).save(folder / "shot.png")
    return folder


@pytest.fixture
def workplace(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the footage in ``my``."""
    shutil.copytree(footage, tmp_path / "my")
    shutil.copy(footage / "clip.mp4", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNS_TRACKING_URI", "off")
    return tmp_path


def run_command(line: str, variables: dict[str, str]) -> None:
    """Run ``dns`` in this process and anything else in a shell; ``name=$(...)`` sets a variable."""
    if assigned := re.fullmatch(r"(\w+)=\$\((.*)\)", line):
        shell = subprocess.run(["bash", "-c", assigned[2]], capture_output=True, text=True, check=True)
        variables[assigned[1]] = shell.stdout.strip()
        return
    if not line.startswith("dns "):
        subprocess.run(["bash", "-euc", line], check=True)
        return
    words = [re.sub(r"\$(\w+)", lambda name: variables[name[1]], word) for word in shlex.split(line)[1:]]
    result = CliRunner().invoke(app, words, prog_name="dns")
    assert result.exit_code == 0, f"{line}\n{result.output}{result.stderr}"


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("page", [*PAGES, *ON_AN_INDEX], ids=str)
def test_the_blocks_of_a_page_run_one_after_the_other(page: Path) -> None:
    if page in ON_AN_INDEX:
        run_command("dns index build --videos my/videos --out my/index", {})
    variables: dict[str, str] = {}
    names: dict[str, object] = {}
    for block in blocks(page):
        if block.language == "python":
            exec(compile(block.text, str(page), "exec"), names)  # noqa: S102 - our own pages
        elif block.is_run:
            for line in block.commands:
                run_command(line, variables)


@pytest.mark.parametrize("page", [*PAGES, Path("README.md")], ids=str)
def test_commands_that_are_not_run_are_understood(page: Path) -> None:
    for block in blocks(page):
        for line in block.commands:
            if line.startswith("dns "):
                parse(shlex.split(line)[1:], line)


def parse(words: list[str], line: str) -> None:
    """Find the command and parse its arguments, without calling it."""
    command = get_command(app)
    context = typer.Context(command, info_name="dns")
    while hasattr(command, "commands"):
        name = words.pop(0)
        if name.startswith("-"):
            return  # an option of ``dns`` itself
        assert name in command.commands, f"{line}: there is no command {name}"
        command = command.commands[name]
        context = typer.Context(command, info_name=name, parent=context)
    command.make_context(command.name, words, parent=context.parent)


def test_an_unknown_option_is_noticed() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse(["query", "a.mp4", "--index", "my/index", "--nothing"], "dns query")
    with pytest.raises(AssertionError, match="no command"):
        parse(["search", "a.mp4"], "dns search")
