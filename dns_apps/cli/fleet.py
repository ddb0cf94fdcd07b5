"""The fleet that a command's work runs on."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns_core.fleet import Fleet


def command_fleet() -> "Fleet":
    """As the settings of the current folder say; nothing is started before there is work."""
    from dns_ops.fleet.choosing import open_fleet
    from dns_ops.settings import load_settings

    return open_fleet(load_settings(Path.cwd()))
