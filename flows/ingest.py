"""Flow ``ingest``: new videos into a collection, a task for every few dozen, and a version of the data."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.tasks import exponential_backoff

from dns_core.video.discover import discover_videos
from dns_ops.data.ingest import Ingested, collection_folder, ingest_videos
from dns_ops.data.versioning import record_version
from dns_ops.pipeline.remote_step import push_everything
from dns_ops.settings import load_settings
from flows.artifacts import progress_artifact
from flows.workspace import workspace_of_run

_VIDEOS_PER_TASK = 32

Collection = Literal["train", "database", "queries"]


@flow(name="ingest")
def ingest(source: str, collection: Collection = "train", push: bool = False) -> str:
    """Copy new videos into a collection and record a version of the data, whose name is returned.

    Existing files are kept, so that a stopped run resumes.

    Args:
        source: folder of video files on the worker's machine.
        collection: where they belong.
        push: the version to DVC's remote, for other machines.
    """
    root = Path.cwd()
    load_settings(root)
    folder = collection_folder(root, collection)
    found = discover_videos(Path(source))
    logger = get_run_logger()
    with workspace_of_run(root):
        chunks = [found[start : start + _VIDEOS_PER_TASK] for start in range(0, len(found), _VIDEOS_PER_TASK)]
        futures = [_ingest_videos.submit(chunk, folder) for chunk in chunks]
        with progress_artifact(len(futures)) as tell:
            for _ in as_completed(futures):
                tell()
        done = [row for future in futures for row in future.result()]
        refused = [asdict(row) for row in done if row.outcome == "refused"]
        create_table_artifact(refused, key="refused-videos", description="Files not taken in, and why")
        version = record_version(root)
        if push:
            push_everything(root)
    logger.info("version %s: %d videos, %d files refused", version.name, version.n_videos, len(refused))
    return version.name


@task(
    name="ingest_videos",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=5),
)
def _ingest_videos(videos: Sequence[tuple[str, Path]], folder: Path) -> list[Ingested]:
    return ingest_videos(videos, folder)
