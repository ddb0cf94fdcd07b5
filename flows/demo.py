"""Flow ``demo``: film the small corpus in an empty workspace, then all that `reproduce` does."""

from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from dns_core.corpus.demo import make_demo_corpus
from flows.reproduce import run_pipeline, side_by_side
from flows.workspace import workspace_of_run


@flow(name="demo", task_runner=side_by_side())
def demo(seed: int = 0) -> None:
    """Make the demo: its videos, models, index and report; about ten minutes on two cores.

    A workspace that holds other videos is left as it is.

    Args:
        seed: the same one films the same videos.
    """
    root = Path.cwd()
    with workspace_of_run(root):
        _film(root / "data", seed)
    run_pipeline(root, [], last=())


@task(name="film", cache_policy=NO_CACHE)
def _film(data: Path, seed: int) -> None:
    make_demo_corpus(data, seed=seed)
