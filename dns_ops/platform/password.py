"""The password by which the platform's own parts know each other, and which people give in their browser.

It is one file, readable by the user alone, that ``dns up`` makes once. Programs that ``dns up`` starts find
it there or in their environment, never in an argument. It permits running flows, and so do what the
user may.
"""

import os
import secrets
from pathlib import Path

from dns_core.errors import MissingArtefactError
from dns_core.store.atomic import atomic_file
from dns_ops.settings import make_platform_folder, platform_folder

_USER = "dns"


def password_file(root: Path) -> Path:
    """Where the password of a workspace's platform is kept."""
    return platform_folder(root) / "password"


def make_password(root: Path) -> None:
    """There is a password, the one of before if there was one; only this user can read it."""
    make_platform_folder(root)
    file = password_file(root)
    if read_password(root):
        file.chmod(0o600)
        return
    with atomic_file(file) as path:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as writing:
            writing.write(f"{_USER}:{secrets.token_urlsafe(32)}\n")


def read_password(root: Path) -> str:
    """``user:password``; empty before ``dns up`` made one."""
    file = password_file(root)
    return file.read_text(encoding="ascii").strip() if file.is_file() else ""


def require_password(root: Path) -> str:
    """``user:password``.

    Raises:
        MissingArtefactError: there is none, and a server that asks for none must not start.
    """
    found = read_password(root)
    if not found:
        raise MissingArtefactError(f"{password_file(root)}: expected a password; `dns up` makes one")
    return found
