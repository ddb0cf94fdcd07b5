"""The marker file that orders training after validation without invalidating DVC's cache."""

from dns_core.stages.context import Workspace
from dns_core.store.atomic import atomic_file


def mark_passed(workspace: Workspace, stage: str) -> None:
    """Write the marker that the data passed a validation stage; its content is constant."""
    with atomic_file(workspace.validated(stage)) as temporary:
        temporary.write_text("passed\n", encoding="ascii")
