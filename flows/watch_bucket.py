"""Flow ``watch_bucket``: videos that came under a prefix of the bucket start the flow `ingest`."""

from pathlib import Path

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from dns_ops.settings import load_settings
from flows.ingest import Collection, ingest
from flows.progress import flow_progress

_AT_ONCE = 256
"""Objects that are fetched before they are taken in: they need room twice meanwhile."""


@flow(name="watch_bucket")
def watch_bucket(prefix: str = "inbox/", collection: Collection = "train") -> State[None]:
    """Fetch what is new under the prefix and ingest it; what was taken in before is not looked at again.

    Args:
        prefix: of the keys, in the bucket of DNS_S3_BUCKET.
        collection: where the videos belong.
    """
    from dns_ops.storage.bucket import Bucket  # noqa: PLC0415 - boto3 is optional
    from dns_ops.storage.inbox import Inbox  # noqa: PLC0415

    root = Path.cwd()
    inbox = Inbox(root, Bucket(load_settings(root)), prefix)
    arrivals = inbox.arrivals()
    for start in range(0, len(arrivals), _AT_ONCE):
        some = arrivals[start : start + _AT_ONCE]
        get_run_logger().info("%d new objects below %s", len(some), prefix)
        ingest(str(inbox.fetch(some, flow_progress())), collection)
        inbox.settle(some)
    if not arrivals:
        return Completed(name="NothingNew", message=f"nothing new below {prefix}")
    return Completed(message=f"{len(arrivals)} new objects below {prefix} were ingested")
