"""Known weaknesses: ``make audit``.

The pinned packages are looked up in PyPI's database of advisories. Where it cannot be asked they are not
judged, and that is said. The code is read by bandit, which needs no network. Its findings of low severity
are ruff's rules S too: ``make check`` wants each such line mended, or accepted with a reason.

Ends with 1 if something was found, with 3 if nothing was found but packages were not judged.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_TOOLS = Path(sys.executable).parent
_LOCKS = ("requirements.lock", "requirements-cuda.lock", "requirements-tools.lock")
_CODE = ("dns_core", "dns_ops", "dns_apps", "flows", "dashboards", ".ci")


def asked(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """A program that has ended, whatever its status."""
    return subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - a tool of ours


def packages(lock: str) -> tuple[int, int]:
    """Say what is known of the packages of a lock: how many are weak, and how many were not judged."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as answer:
        options = ("--disable-pip", "--require-hashes", "-f", "json", "-o", answer.name)
        run = asked(_TOOLS / "pip-audit", "-r", lock, *options)
        text = answer.read()
    if not text:
        n_pinned = len(re.findall(r"(?m)^\S+==", Path(lock).read_text(encoding="utf-8")))
        reason = (run.stderr.strip().splitlines() or ["no answer"])[-1][:100]
        say(f"{lock}: {n_pinned} packages, none judged: {reason}")
        return 0, n_pinned
    found = json.loads(text)["dependencies"]
    weak = [package for package in found if package.get("vulns")]
    for package in weak:
        for known in package["vulns"]:
            mended = ", ".join(known["fix_versions"]) or "no version yet"
            say(f"  {package['name']} {package['version']}: {known['id']}, mended in {mended}")
    unjudged = sum("skip_reason" in package for package in found)
    say(f"{lock}: {len(found)} packages, {len(weak)} with known weaknesses, {unjudged} not judged")
    return len(weak), unjudged


def code() -> int:
    """Say what bandit finds of medium and high severity: how much."""
    run = asked(_TOOLS / "bandit", "-q", "-r", *_CODE, "--severity-level", "medium", "-f", "json")
    answer = json.loads(run.stdout)
    for found in answer["results"]:
        say(f"  {found['filename']}:{found['line_number']}: {found['test_id']} {found['issue_text']}")
    totals = answer["metrics"]["_totals"]
    accepted = totals["nosec"] + totals["skipped_tests"]
    say(f"code: {totals['loc']} lines, {len(answer['results'])} findings, {accepted} accepted with a reason")
    return len(answer["results"])


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - it is what was asked for


def main() -> int:
    """The exit status."""
    weak, unjudged = (sum(counts) for counts in zip(*map(packages, _LOCKS), strict=True))
    found = weak + code()
    if unjudged:
        say(f"not judged: {unjudged} packages, as PyPI's database of advisories did not answer from here")
    return 1 if found else 3 if unjudged else 0


if __name__ == "__main__":
    sys.exit(main())
