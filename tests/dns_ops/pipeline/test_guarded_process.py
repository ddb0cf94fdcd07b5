"""A guarded process ends with its owner, and takes with it all that it started."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from dns_ops.pipeline.guarded_process import Children, run_in_foreground

# A shell that starts a shell that sleeps: as DVC starts a stage.
TREE = ["sh", "-c", "echo begun $$; sh -c 'sleep 100; true'; true"]


def run(children: Children, command: list[str], lines: list[str], timeout_s: float = 60) -> int:
    return children.run(
        command, cwd=Path.cwd(), environment=os.environ, on_line=lines.append, timeout_s=timeout_s
    )


def wait_for(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether the process runs; one that was not waited for is still listed."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def descendants() -> list[psutil.Process]:
    """The guarded processes of this one, and what they started; other tests may have servers of their own."""
    guards = [child for child in psutil.Process().children() if is_guard(child)]
    family = [member for guard in guards for member in [guard, *guard.children(recursive=True)]]
    return [member for member in family if lives(member.pid)]


def is_guard(process: psutil.Process) -> bool:
    return lives(process.pid) and "dns_ops.pipeline.guarded_process" in process.cmdline()


def test_lines_and_exit_code_come_through() -> None:
    lines: list[str] = []
    with Children() as children:
        assert run(children, ["sh", "-c", "echo out; echo err >&2; exit 3"], lines) == 3
        assert run(children, ["sh", "-c", "kill -9 $$"], lines) == 128 + 9
    assert sorted(lines) == ["err", "out"]


def test_the_end_of_the_work_ends_the_whole_tree_and_nothing_begins_afterwards() -> None:
    lines: list[str] = []
    codes: list[int] = []
    with Children() as children:
        thread = threading.Thread(target=lambda: codes.append(run(children, TREE, lines)))
        thread.start()
        wait_for(lambda: lines)
        assert len(descendants()) >= 3
    thread.join(30)
    assert codes == [128 + signal.SIGTERM]
    wait_for(lambda: not descendants())
    with pytest.raises(InterruptedError):
        run(children, ["true"], lines)


STUBBORN = """
import os, signal, sys
from pathlib import Path
from dns_ops.pipeline.guarded_process import Children
signal.signal(signal.SIGTERM, signal.SIG_IGN)
deaf = "import os, signal, time; signal.signal(15, signal.SIG_IGN); print(os.getpid()); time.sleep(99)"
Children().run([sys.executable, "-c", deaf], cwd=Path.cwd(), environment=os.environ, timeout_s=60,
    on_line=lambda line: Path(sys.argv[1]).write_text(line))
"""
"""A guarded process that guards another, as the process of a flow guards a stage; both ignore SIGTERM."""


def test_what_ignores_the_request_is_killed_with_all_that_guards_below_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    command = [
        sys.executable,
        "-m",
        "dns_ops.pipeline.guarded_process",
        sys.executable,
        "-c",
        STUBBORN,
        str(note),
    ]
    guard = subprocess.Popen(command)
    wait_for(lambda: note.exists() and note.read_text())
    inner = int(note.read_text())
    time.sleep(0.2)
    guard.send_signal(signal.SIGTERM)
    assert guard.wait(30) == 128 + signal.SIGKILL
    wait_for(lambda: not lives(inner), seconds=3)


def test_a_command_that_takes_too_long_is_stopped() -> None:
    with Children() as children:
        assert run(children, TREE, [], timeout_s=0.5) == 128 + signal.SIGTERM
    wait_for(lambda: not descendants())


def test_a_killed_owner_leaves_nothing_behind(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"""
import os
from pathlib import Path
from dns_ops.pipeline.guarded_process import Children, run_in_foreground
Children().run({TREE!r}, cwd=Path.cwd(), environment=os.environ, timeout_s=60,
    on_line=lambda line: Path({str(note)!r}).write_text(line))
"""
    owner = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: note.exists() and note.read_text())
    shell = int(note.read_text().split()[1])
    assert lives(shell)
    owner.kill()
    owner.wait()
    wait_for(lambda: not lives(shell))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_command_in_the_foreground_ends_with_its_owner(number: signal.Signals) -> None:
    script = f"""
import os, signal
from pathlib import Path
from dns_ops.pipeline.guarded_process import run_in_foreground
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it may be ignored
run_in_foreground({TREE!r}, cwd=Path.cwd(), environment=os.environ)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        begun = owner.stdout.readline()
        family = psutil.Process(owner.pid).children(recursive=True)
        assert begun.startswith("begun")
        assert len(family) >= 2
        owner.send_signal(number)
        wait_for(lambda: not any(lives(member.pid) for member in family))


def test_a_command_in_the_foreground_gives_its_exit_code() -> None:
    command = ["sh", "-c", "exit 3"]
    assert run_in_foreground(command, cwd=Path.cwd(), environment=os.environ) == 3
