"""One reproduction as a run in the store of runs, and its models as a version in the registry."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dns_core.workspace import Workspace
from dns_ops.settings import Settings

if TYPE_CHECKING:
    from dns_ops.tracking.store import Tracking


@contextmanager
def reproduction(root: Path, settings: Settings, params: Mapping[str, Any]) -> Iterator[str]:
    """Yield the id of a new parent run, empty if nothing is recorded; register the models if all goes well.

    MLflow, which takes seconds to load, is imported only if there is a store of runs.

    Raises:
        TrackingError: the store cannot be reached.
    """
    if not settings.tracking_store(root):
        yield ""
        return
    from dns_ops.releases.registry import register_bundle  # noqa: PLC0415
    from dns_ops.tracking.run_logger import parent_run  # noqa: PLC0415

    def register(tracking: "Tracking", run_id: str) -> None:
        models = Workspace(root).models
        if models.is_dir():
            register_bundle(root, models, tracking, run_id)

    with parent_run(root, settings, params, register) as run_id:
        yield run_id
