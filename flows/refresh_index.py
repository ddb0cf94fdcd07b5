"""Flow ``refresh_index``: bring the champion's index up to the videos of the database."""

from pathlib import Path

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact

from dns_ops.releases.refresh import refresh_index as refresh
from dns_ops.releases.release import champion, find_release
from dns_ops.settings import load_settings
from flows.foreseen import foreseen_errors_shown
from flows.progress import flow_progress
from flows.workspace import workspace_of_run


@flow(name="refresh_index")
@foreseen_errors_shown
def refresh_index(publish: bool = False) -> str:
    """Add and remove the videos that changed, and no others; gives the version of the data.

    Args:
        publish: put the index into the bucket of DNS_S3_BUCKET afterwards, for readers elsewhere.
    """
    root = Path.cwd()
    settings = load_settings(root)
    logger = get_run_logger()
    with workspace_of_run(root):
        done = refresh(root, flow_progress())
        rows = [{"video": name, "change": "added"} for name in done.added]
        rows += [{"video": name, "change": "removed"} for name in done.removed]
        create_table_artifact(rows, key="refreshed-videos", description="Videos that changed in the index")
        logger.info("%d added, %d removed, %d kept", len(done.added), len(done.removed), done.kept)
        if publish:
            from dns_ops.storage.bucket import Bucket  # noqa: PLC0415 - boto3 is optional
            from dns_ops.storage.trees import push_tree  # noqa: PLC0415

            index = find_release(root, champion(root)).index
            tree, n_moved = push_tree(Bucket(settings), "index", index, flow_progress())
            logger.info("index %s is public: %d contents uploaded", tree.version, n_moved)
    return done.version
