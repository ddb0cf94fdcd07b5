"""Every RunLogger takes params, metrics and files, and none of them ends the run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

from dns_core.ports import NullRunLogger, RunLogger, SilentProgress
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.settings import Settings
from dns_ops.tracking.optional import recorded_stage
from dns_ops.tracking.run_logger import MlflowRunLogger, stage_run
from dns_ops.tracking.store import open_tracking

Open = Callable[[Path], AbstractContextManager[RunLogger]]


def null(_root: Path) -> AbstractContextManager[RunLogger]:
    return nullcontext(NullRunLogger())


def of_this_process(root: Path) -> AbstractContextManager[RunLogger]:
    return stage_run(root, Settings(), "train", {}, SilentProgress())


@contextmanager
def over_the_socket(root: Path) -> Iterator[RunLogger]:
    with reproduction(root, Settings(), {}) as run_id:
        own = Settings().model_copy(update={"parent_run": run_id})
        with recorded_stage(root, own, "train", {}, SilentProgress()) as logger:
            assert not isinstance(logger, MlflowRunLogger)
            yield logger


LOGGERS: tuple[Open, ...] = (null, of_this_process, over_the_socket)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "losses.json").write_text("{}", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("opened", LOGGERS, ids=lambda one: one.__name__)
def test_a_logger_takes_all_that_a_stage_records(opened: Open, root: Path) -> None:
    with opened(root) as logger:
        logger.log_params({"epochs": 3, "nested": {"lr": 0.1}})
        for step in range(3):
            logger.log_metrics({"loss": 1.0 / (step + 1)}, step)
        logger.log_metrics({"map": 0.5})
        logger.log_artifact(root / "losses.json")


@pytest.mark.parametrize("opened", LOGGERS[1:], ids=lambda one: one.__name__)
def test_loggers_of_a_store_record_the_same(opened: Open, root: Path) -> None:
    with opened(root) as logger:
        logger.log_params({"nested": {"lr": 0.1}})
        logger.log_metrics({"loss": 0.25}, 2)
        logger.log_artifact(root / "losses.json")
    tracking = open_tracking(root, Settings())
    (run,) = tracking.client.search_runs(
        [tracking.experiment_id], "attributes.run_name = 'train'", max_results=10
    )
    assert run.data.params["nested.lr"] == "0.1"
    (point,) = tracking.client.get_metric_history(run.info.run_id, "loss")
    assert (point.value, point.step) == (0.25, 2)
    assert [row.path for row in tracking.client.list_artifacts(run.info.run_id)] == ["losses.json"]
    assert run.info.status == "FINISHED"


@pytest.mark.parametrize("opened", LOGGERS, ids=lambda one: one.__name__)
def test_an_error_of_the_stage_is_passed_on(opened: Open, root: Path) -> None:
    with pytest.raises(ValueError, match="the stage broke"), opened(root):
        raise ValueError("the stage broke")
