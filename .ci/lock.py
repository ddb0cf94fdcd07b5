"""Write the lock files with hashes: ``make lock``, after a version in one of them was changed.

``requirements.lock`` keeps its versions; its hashes are written anew. What the tools of this folder need,
and what a build of torch for CUDA asks for, is resolved anew, near to the versions before.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_PIN = re.compile(r"(?m)^([A-Za-z0-9_.-]+)==([^\s;\\]+)")
_TOOLS = ("bandit>=1.9", "cyclonedx-bom>=7.5", "pip-audit>=2.10", "uv>=0.13")
_UV = (Path(sys.executable).with_name("uv"), "pip", "compile", "--quiet", "--no-header", "--no-annotate")
# the oldest Python that every package has a release for
_OPTIONS = ("--generate-hashes", "--python-version", "3.11.5")


def compiled(wanted: list[str], lock: Path, *options: str) -> str:
    """What uv writes into ``lock`` for requirements; versions that it holds are kept where they can be."""
    command = [*_UV, *_OPTIONS, *options, "-", "--output-file", lock]
    subprocess.run(command, input="\n".join(wanted), text=True, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return lock.read_text(encoding="utf-8")


def entries(text: str) -> dict[str, str]:
    """The block of each package in a lock."""
    return {block.partition("==")[0]: block for block in re.split(r"(?m)^(?=\S)", text) if "==" in block}


def cpu_builds(pin: str) -> list[str]:
    """Hashes of torch's builds for CPU that pip finds from here; they lie elsewhere than torch itself."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, f"{pin}+cpu"]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)  # noqa: S603
        return [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in Path(folder).iterdir()]


def main() -> None:
    """Write the three files."""
    lock, cuda, tools = (Path(f"requirements{name}.lock") for name in ("", "-cuda", "-tools"))
    pins = dict(_PIN.findall(lock.read_text(encoding="utf-8")))
    torch = f"torch=={pins['torch']}"
    found = entries(
        compiled([f"{name}=={version}" for name, version in pins.items()], lock, "--no-deps", "--universal")
    )
    builds = cpu_builds(torch)
    if not builds:
        sys.exit(f"{torch}+cpu: expected a build for CPU that pip finds from here, found none")
    hashes = sorted({*re.findall(r"sha256:(\w+)", found["torch"]), *builds})
    found["torch"] = " \\\n".join([torch, *(f"    --hash=sha256:{digest}" for digest in hashes)]) + "\n"
    lock.write_text("".join(found.values()), encoding="utf-8")
    beside = entries(compiled([torch], cuda, "--python-platform", "x86_64-unknown-linux-gnu"))
    cuda.write_text("".join(block for name, block in beside.items() if name not in found), encoding="utf-8")
    compiled(list(_TOOLS), tools, "--universal")


if __name__ == "__main__":
    main()
