"""What a run can say of its own origin: the commit of the code and the version of the data."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dns_core.errors import CorruptArtefactError
from dns_core.store.fingerprints import fingerprint_json

_DATA_STAGE = "probe_videos"


def code_commit(root: Path) -> str:
    """The commit that is checked out, with ``-dirty`` if files differ from it; empty outside of git."""
    commit = _git(root, "rev-parse", "HEAD")
    return f"{commit}-dirty" if commit and _git(root, "status", "--porcelain", "-uno") else commit


def data_version(root: Path) -> str:
    """Fingerprint of all videos that the pipeline last read, as ``dvc.lock`` has them.

    Empty before the first stage has run. It needs no second look at the videos, and is the name that
    `dns_ops.data.versioning` gives to the same videos.

    Raises:
        CorruptArtefactError: ``dvc.lock`` is not as DVC writes it.
    """
    lock = root / "dvc.lock"
    if not lock.is_file():
        return ""
    try:
        stages: dict[str, Any] = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
        deps = stages.get(_DATA_STAGE, {}).get("deps", [])
        digests = {dep["path"]: dep["md5"] for dep in deps if dep["path"].startswith("data/")}
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CorruptArtefactError(f"{lock}: expected what DVC has run, found: {error}") from error
    return version_name(digests) if digests else ""


def version_name(digests: Mapping[str, str]) -> str:
    """Name of the version in which folders, by path in the workspace, have these digests of DVC's."""
    return fingerprint_json(dict(digests))


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
