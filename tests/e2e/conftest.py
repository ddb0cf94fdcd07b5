"""One very small archive, and everything that the pipeline makes of it, shared by all tests here."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from dns_apps.cli.main import app
from dns_core.corpus.archive import CorpusSize
from dns_core.corpus.demo import build_corpus
from dns_core.params import load_params, run_stage
from dns_core.ports import SilentProgress
from dns_core.workspace import StageContext, Workspace
from dns_ops.dag import read_dag
from dns_ops.quality.validator import GxValidator

ROOT = Path(__file__).resolve().parents[2]

SIZE = CorpusSize(
    train=10,
    database=8,
    queries=3,
    takes=(2, 2),
    shot_s=(4.0, 5.0),
    longest_s=8.0,
    widths_px=(96, 128),
    rates_fps=(5.0,),
)

# Values by the name of the setting, wherever in params.yaml it stands.
SMALL: dict[str, Any] = {
    "sampling_fps": 1,
    "strengths": ["light", "medium"],
    "dims": 64,
    "sample_regions": 2000,
    "same_frame": 0.6,
    "min_frames": 2,
    "validation_share": 0.4,
    "batch_videos": 4,
    "window_frames": 8,
    "epochs": 2,
    "near": 4,
    "far": 2,
    "batch_triplets": 8,
    "transformer_feedforward_dims": 64,
    "netvlad_clusters": 4,
    "netvlad_outdims": 32,
    "targets_per_query": 6,
    "threshold": 0.05,
    "batch_pairs": 16,
    "epoch_pairs": 32,
    "budgets": [0, 0.5, 1],
    "policy_budgets": [0, 0.5, 1],
}

Dns = Callable[..., Result]
DnsProcess = Callable[..., str]
Interrupt = Callable[..., tuple[int, str]]


def small(values: Mapping[str, Any]) -> dict[str, Any]:
    """The repository's params, with small values in place of some."""
    return {
        name: SMALL.get(name, small(value) if isinstance(value, dict) else value)
        for name, value in values.items()
    }


def make_workspace(root: Path, data: Path) -> Path:
    """A workspace on ``data`` in which nothing has run."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "data").symlink_to(data, target_is_directory=True)
    params = small(yaml.safe_load((ROOT / "params.yaml").read_text()))
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    return root


def pipeline_order() -> list[tuple[str, str, list[Path]]]:
    """Stage, item of it or nothing, and outputs, each after what it needs."""
    steps = [(step.name.partition("@"), step.outputs) for step in read_dag(ROOT)]
    return [(stage, item, list(outputs)) for (stage, _, item), outputs in steps]


# A shell that starts tests in the background has them ignore Ctrl-C, and what they start inherits that.
MAIN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from dns_apps.cli.main import main
main()
"""


def start_dns(cwd: Path, *arguments: object) -> subprocess.Popen[str]:
    """The command line in a process of its own, with one thread, so that its sums repeat."""
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="session", autouse=True)
def _no_record() -> Iterator[None]:
    """Stages here record no runs, which would take seconds each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DNS_TRACKING_URI", "off")
        yield


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of 21 videos of a few seconds; tests must not change it."""
    out = tmp_path_factory.mktemp("corpus") / "data"
    with pytest.MonkeyPatch.context() as patch:
        # Processes would take longer to start than these few videos take to film.
        patch.setattr(os, "sched_getaffinity", lambda _: {0})
        build_corpus(out, seed=0, size=SIZE, progress=SilentProgress())
    return out


@pytest.fixture(scope="session")
def order() -> list[tuple[str, str, list[Path]]]:
    """As `pipeline_order`."""
    return pipeline_order()


@pytest.fixture(scope="session")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which every stage of dvc.yaml has run; tests must not change it."""
    root = make_workspace(tmp_path_factory.mktemp("finished") / "workspace", data)
    params = load_params(root / "params.yaml")
    for name, item, _ in pipeline_order():
        run_stage(name, params, StageContext(Workspace(root), item=item, validator=GxValidator()))
    return root


@pytest.fixture(scope="session")
def models(finished: Path) -> Path:
    """The bundle of the finished workspace."""
    return finished / "artifacts" / "models"


@pytest.fixture
def dns() -> Dns:
    """The command line, in this process; raises what the command did not foresee."""
    runner = CliRunner()

    def invoke(*arguments: object) -> Result:
        return runner.invoke(app, [str(a) for a in arguments], prog_name="dns", catch_exceptions=False)

    return invoke


@pytest.fixture
def interrupted() -> Interrupt:
    """Starts the command line in a process and sends it a signal once a condition holds."""

    def interrupt(
        cwd: Path, *arguments: object, when: Callable[[], bool], number: signal.Signals
    ) -> tuple[int, str]:
        process = start_dns(cwd, *arguments)
        try:
            while not when():
                if process.poll() is not None:
                    pytest.fail(f"ended before it could be interrupted: {process.communicate()[1]}")
                time.sleep(0.002)
            process.send_signal(number)
            _, complaint = process.communicate(timeout=200)
        finally:
            process.kill()
            process.wait()
        return process.returncode, complaint

    return interrupt


@pytest.fixture
def dns_process() -> DnsProcess:
    """The command line in a process, run to its end; gives what it wrote to stderr.

    It must end with ``code``, or with any but success if that is None.
    """

    def run(cwd: Path, *arguments: object, code: int | None = 0) -> str:
        process = start_dns(cwd, *arguments)
        _, complaint = process.communicate(timeout=200)
        assert process.returncode == code or (code is None and process.returncode != 0), complaint
        return complaint

    return run


@pytest.fixture
def fresh_workspace(data: Path, tmp_path: Path) -> Path:
    """A workspace on the corpus in which nothing has run."""
    return make_workspace(tmp_path / "fresh", data)


@pytest.fixture
def workspace_copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished workspace that a test may change."""
    root = tmp_path / "copy"
    shutil.copytree(finished, root, symlinks=True)
    return root
