"""Progress of a flow, in the log of its run."""

from prefect import get_run_logger

from dns_ops.line_progress import LineProgress


def flow_progress() -> LineProgress:
    """Progress as lines in the log of the flow that calls this."""
    return LineProgress(get_run_logger().info)
