"""Install the built wheel into fresh environments, one for each extra, and use what it promises there.

    python .ci/wheel_check.py [base] [service] [plot] [dashboard]

Each line says how long an installation took and how large it is; versions are those of ``requirements.lock``.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "distill-and-select"
_MEBIBYTE = 1 << 20
_START_S = 120

MAKE_VIDEOS = """
import numpy as np
from pathlib import Path
from dns_core.video import write_video
for seed in range(3):
    wall = np.random.default_rng(seed).integers(0, 255, (12, 40, 3), dtype=np.uint8)
    wall = wall.repeat(16, axis=0).repeat(16, axis=1)
    write_video(Path(f"my/videos/{seed}.mp4"), [wall[n:n + 120, 9 * n:9 * n + 160] for n in range(32)], 8.0)
"""
SEARCH = """
from dns_core.search import Searcher
answer = Searcher.open("my/index").query("my/videos/1.mp4", top_k=1)
assert answer.results[0].video_id == "1.mp4", answer
"""
ASK = """
import sys
from pathlib import Path
from dns_apps.service.client import Client
query = Client(sys.argv[1], timeout_s=60).query_file(Path(sys.argv[2]))
assert query.answer.matches[0].video_id == "1.mp4", query
assert "torch" not in sys.modules
"""


class Environment:
    """A fresh virtual environment with the wheel.

    Args:
        folder: of the environment and of what is done in it.
        wheel: to install.
        extra: of the wheel; empty is none.
        bare: packages to install instead of the wheel's own dependencies.
    """

    def __init__(self, folder: Path, wheel: Path, extra: str, bare: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self._bin = folder / "venv" / "bin"
        started = time.monotonic()
        run(sys.executable, "-m", "venv", str(folder / "venv"), cwd=folder)
        pins = folder / "pins.txt"  # without hashes: the wheel has none
        pins.write_text("\n".join(re.findall(r"(?m)^\S+==\S+", (ROOT / "requirements.lock").read_text())))
        pip = (str(self._bin / "python"), "-m", "pip", "install", "-q", "-c", str(pins))
        if bare:
            run(*pip, *bare, cwd=folder)
            run(*pip, "--no-deps", str(wheel), cwd=folder)
        else:
            run(*pip, f"{wheel}[{extra}]" if extra else str(wheel), cwd=folder)
        size = sum(path.stat().st_size for path in (folder / "venv").rglob("*") if path.is_file())
        seconds = time.monotonic() - started
        say(f"{extra or 'base':10} installed in {seconds:.0f} s, {size / _MEBIBYTE:.0f} MiB")

    def python(self, code: str, *arguments: str) -> None:
        """Run code that must succeed."""
        run(str(self._bin / "python"), "-c", code, *arguments, cwd=self.folder)

    def dns(self, *arguments: str) -> str:
        """Run a command that must succeed; what it prints."""
        return run(str(self._bin / "dns"), *arguments, cwd=self.folder)

    def lacks(self, module: str) -> None:
        """Require that a package is not installed."""
        self.python(f"import importlib.util as u; assert u.find_spec({module!r}) is None, 'found {module}'")

    def names_extra(self, extra: str, *arguments: str) -> None:
        """Require that a command without its extra fails with one line that names the extra."""
        done = subprocess.run(  # noqa: S603 - our own command
            [str(self._bin / "dns"), *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        printed = done.stderr.strip()
        if done.returncode == 0 or "\n" in printed or f"{PACKAGE}[{extra}]" not in printed:
            raise SystemExit(
                f"dns {' '.join(arguments)}: expected one line that names [{extra}], found {printed!r}"
            )

    @contextmanager
    def serving(self, command: str, health: str, *options: str) -> Iterator[str]:
        """The address of a server that runs until the block ends."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        arguments = [str(self._bin / "dns"), command, "--port", str(port), *options]
        environment = os.environ | {"DNS_SERVE_INDEX": "my/index", "DNS_SERVE_VIDEOS": "my/videos"}
        server = subprocess.Popen(arguments, cwd=self.folder, env=environment)  # noqa: S603 - our own command
        try:
            until_healthy(url + health, server)
            yield url
        finally:
            server.terminate()
            server.wait(30)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(*arguments: str, cwd: Path) -> str:
    """Run a program that must succeed; what it prints."""
    done = subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)[:200]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def until_healthy(url: str, server: "subprocess.Popen[bytes]") -> None:
    """Wait until an address answers."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 # nosec B310 - on this machine
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SystemExit(f"{url}: no answer within {_START_S} s")


def index_and_search(environment: Environment) -> None:
    """Index three videos, search and compare, by command and from Python."""
    environment.python(MAKE_VIDEOS)
    environment.dns("index", "build", "--videos", "my/videos", "--out", "my/index")
    environment.dns("query", "my/videos/1.mp4", "--index", "my/index")
    environment.dns("compare", "my/videos/1.mp4", "my/videos/2.mp4")
    environment.python(SEARCH)


def base(folder: Path, wheel: Path) -> None:
    """Check the wheel alone: index, query, compare without torch; extras that are missing are named."""
    environment = Environment(folder, wheel, "")
    for module in ("torch", "sklearn", "scipy", "pyarrow", "h5py", "pandas"):
        environment.lacks(module)
    index_and_search(environment)
    environment.names_extra("train", "weights", "import", "x.pth", "--as", "coarse.x")
    environment.dns("check")
    environment.names_extra("service", "serve")
    environment.names_extra("dashboard", "dashboard")
    environment.names_extra("pipeline", "reproduce")
    environment.names_extra("plot", "compare", "my/videos/1.mp4", "my/videos/2.mp4", "--plot", "matrix.png")


def service(folder: Path, wheel: Path) -> None:
    """Check that the query service answers an upload without MLflow, and its client needs no torch."""
    environment = Environment(folder, wheel, "service")
    environment.lacks("mlflow")
    environment.lacks("torch")
    index_and_search(environment)
    with environment.serving("serve", "/readyz") as url:
        client = Environment(made(folder / "client"), wheel, "client", bare=("httpx", "pydantic"))
        client.lacks("torch")
        client.python(ASK, url, str(folder / "my" / "videos" / "1.mp4"))


def plot(folder: Path, wheel: Path) -> None:
    """Draw a heat map."""
    environment = Environment(folder, wheel, "plot")
    environment.python(MAKE_VIDEOS)
    environment.dns("compare", "my/videos/1.mp4", "my/videos/2.mp4", "--plot", "matrix.png")


def dashboard(folder: Path, wheel: Path) -> None:
    """Check that the dashboard starts."""
    environment = Environment(folder, wheel, "dashboard")
    with environment.serving("dashboard", "/_stcore/health"):
        pass


CHECKS: dict[str, Callable[[Path, Path], None]] = {
    "base": base, "service": service, "plot": plot, "dashboard": dashboard
}  # fmt: skip


def made(folder: Path) -> Path:
    """The folder, after it is made."""
    folder.mkdir(parents=True)
    return folder


def main() -> None:
    """Build the wheel and run the checks that are named, or all."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        run(
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            name,
            str(ROOT),
            cwd=ROOT,
        )
        (wheel,) = home.glob("*.whl")
        say(f"wheel      {wheel.stat().st_size / _MEBIBYTE:.1f} MiB")
        for check in sys.argv[1:] or CHECKS:
            CHECKS[check](made(home / check), wheel)
            shutil.rmtree(home / check)
            say(f"{check:10} ok")


if __name__ == "__main__":
    main()
