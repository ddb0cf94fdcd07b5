"""The marker file that orders training after validation without invalidating DVC's cache."""

from dns_core.store.atomic import atomic_file
from dns_core.workspace import Workspace


def write_validation_marker(workspace: Workspace, stage: str) -> None:
    """Write the marker that the data passed a validation stage; its content is constant."""
    with atomic_file(workspace.validated(stage)) as temporary:
        temporary.write_text("passed\n", encoding="ascii")
