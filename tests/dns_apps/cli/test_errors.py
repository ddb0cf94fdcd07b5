"""How commands end: in this process with commands of our own, and as a program."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from dns_apps.cli.errors import OneLineErrors
from dns_core.errors import ParamsError, VideoError

DNS = Path(sys.executable).parent / "dns"
ROOT = Path(__file__).resolve().parents[3]


def ending(raised: Callable[[], None]) -> Result:
    app = typer.Typer(cls=OneLineErrors, pretty_exceptions_enable=False)
    app.command()(raised)
    app.command()(lambda: None)
    app.registered_commands[0].name, app.registered_commands[1].name = "fail", "other"
    return CliRunner().invoke(app, ["fail"])


def raising(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


def wrapped(cause: Exception) -> Exception:
    """What a library makes of an error: it writes another one, while it handles the first."""
    try:
        try:
            raise cause
        finally:
            raise RuntimeError("unexpected position")
    except RuntimeError as error:
        return error


FULL_COPY = shutil.Error([("a", "/x/b", "[Errno 28] No space left on device: 'a' -> '/x/b'")])
"""What a copy of a folder raises."""


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ParamsError("expected a, found b"), 2, "dns: expected a, found b"),
        (VideoError("empty", "x.mp4\nhas 0 bytes"), 2, "dns: empty: x.mp4\\nhas 0 bytes"),
        (KeyboardInterrupt(), 130, "dns: interrupted; what was finished is kept"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 2, "dns: /x: No space left on device"),
        (FULL_COPY, 2, "dns: /x/b: No space left on device"),
        (
            wrapped(OSError(errno.ENOSPC, "No space left on device")),
            2,
            "dns: a file: No space left on device",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 2, "dns: /x: Permission denied"),
    ],
)
def test_what_was_foreseen_is_one_line(error: BaseException, code: int, line: str) -> None:
    result = ending(raising(error))
    assert result.exit_code == code
    assert result.stderr == line + "\n"
    assert result.stdout == ""


@pytest.mark.parametrize("error", [ValueError("a defect"), FileNotFoundError(errno.ENOENT, "gone", "x")])
def test_a_defect_keeps_its_traceback(error: Exception) -> None:
    result = ending(raising(error))
    assert result.exception is error
    assert result.stderr == ""


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([DNS, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("index", "info", "nowhere"),
        ("query", "a.mp4", "--index", "nowhere", "--json"),
        ("index", "add", "nowhere", "a.mp4"),
        ("stage", "probe_videos"),
        ("reproduce",),
        ("evaluate", "--index", "x", "--ground-truth", "nowhere.json", "--queries", "x"),
    ],
)
def test_the_program_fails_with_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("dns: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_command_that_is_misspelt_is_refused(tmp_path: Path) -> None:
    done = run("qeury", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_file_name_that_is_no_text_is_shown_and_obeyed_by_nothing(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    name = os.fsdecode(b"evil\xff\x1b[2J[red].json")
    command = ("evaluate", "--index", "x", "--ground-truth", name, "--queries", "x")
    done = run(*command, cwd=tmp_path)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "evil\\udcff\\x1b[2J[red].json" in done.stderr


def test_a_reader_that_has_read_enough_is_no_defect(tmp_path: Path, built: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [str(DNS), "index", "info", str(built), "--json"]
    done = subprocess.run(command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_control_c_ends_the_program_with_130_and_one_line(tmp_path: Path) -> None:
    pipe = tmp_path / "truth.json"
    os.mkfifo(pipe)
    # A shell that runs the tests in the background makes its children deaf to Ctrl-C.
    hear = "; ".join(
        [
            "import os, signal, sys",
            "signal.signal(signal.SIGINT, signal.SIG_DFL)",
            "os.execv(sys.argv[1], sys.argv[1:])",
        ]
    )
    arguments = ["evaluate", "--index", "x", "--ground-truth", pipe.name, "--queries", "x"]
    command = [sys.executable, "-c", hear, str(DNS), *arguments]
    # Opening the pipe waits until the command reads it; the command then waits for what is never written.
    with (
        subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process,
        pipe.open("w"),
    ):
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr == "dns: interrupted; what was finished is kept\n"


def test_help_names_every_command(tmp_path: Path) -> None:
    shown = run("--help", cwd=tmp_path).stdout
    for command in ("corpus", "stage", "reproduce", "index", "query", "compare", "evaluate", "check"):
        assert f" {command} " in shown
    assert run("--version", cwd=tmp_path).stdout.startswith("dns ")


@pytest.mark.parametrize(
    ("package", "extra", "arguments"),
    [
        ("ruamel.yaml", "pipeline", ["reproduce"]),
        ("boto3", "storage", ["storage", "push", "index"]),
        ("matplotlib", "plot", ["compare", "a.mp4", "a.mp4", "--plot", "matrix.png"]),
    ],
)
def test_a_missing_extra_is_named_in_one_line(
    package: str, extra: str, arguments: list[str], videos: Path, tmp_path: Path
) -> None:
    shutil.copy(videos / "a.mp4", tmp_path)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    code = f"""
import sys
sys.modules[{package!r}] = None
sys.argv = ["dns", *{arguments!r}]
from dns_apps.cli.main import main
main()
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DNS_S3_BUCKET": "archive"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert f"pip install 'distill-and-select[{extra}]'" in line
