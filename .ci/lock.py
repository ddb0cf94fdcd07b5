"""Write the lock files with hashes: ``make lock``, after a version in one of them was changed.

``requirements.lock`` keeps its versions; its hashes are written anew. What a build of torch for CUDA asks for
is resolved anew; what the tools of this folder need keeps its versions where they still fit.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_PIN = re.compile(r"(?m)^([A-Za-z0-9_.-]+)==([^\s;\\]+)")
_TOOLS = ("bandit>=1.9", "cyclonedx-bom>=7.5", "pip-audit>=2.10", "uv>=0.13")
_UV = (Path(sys.executable).with_name("uv"), "pip", "compile", "--no-header", "--no-annotate")
# the oldest Python that every package has a release for
_OPTIONS = ("--generate-hashes", "--python-version", "3.11.5")


def compiled(wanted: list[str], *options: str) -> str:
    """What uv writes for requirements."""
    command = [*_UV, *_OPTIONS, *options, "-"]
    return subprocess.run(  # noqa: S603 - a tool of ours
        command, input="\n".join(wanted), text=True, check=True, stdout=subprocess.PIPE
    ).stdout


def entries(text: str) -> dict[str, str]:
    """The block of each package in a lock."""
    return {block.partition("==")[0]: block for block in re.split(r"(?m)^(?=\S)", text) if "==" in block}


def cpu_builds(pin: str) -> list[str]:
    """Options for torch's builds for CPU that pip finds from here; they lie elsewhere than torch itself."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, f"{pin}+cpu"]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)  # noqa: S603
        digests = [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in Path(folder).iterdir()]
    return [f"--hash=sha256:{digest}" for digest in sorted(digests)]


def main() -> None:
    """Write the four files."""
    lock, cpu, cuda, tools = (Path(f"requirements{name}.lock") for name in ("", "-cpu", "-cuda", "-tools"))
    pins = dict(_PIN.findall(lock.read_text(encoding="utf-8")))
    torch = f"torch=={pins['torch']}"
    found = entries(
        compiled([f"{name}=={version}" for name, version in pins.items()], "--no-deps", "--universal")
    )
    lock.write_text("".join(found.values()), encoding="utf-8")
    builds = cpu_builds(torch)
    if not builds:
        sys.exit(f"{torch}+cpu: expected a build for CPU that pip finds from here, found none")
    cpu.write_text(" \\\n    ".join([f"{torch}+cpu", *builds]) + "\n", encoding="utf-8")
    beside = entries(compiled([torch], "--python-platform", "x86_64-unknown-linux-gnu"))
    cuda.write_text("".join(block for name, block in beside.items() if name not in found), encoding="utf-8")
    compiled(list(_TOOLS), "--universal", "--output-file", str(tools))


if __name__ == "__main__":
    main()
