"""Cores by affinity and quota, and one number of threads for every library."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dns_core.cores import cpu_quota


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ({}, math.inf),
        ({"": "max 100000\n"}, math.inf),
        ({"": "50000 100000\n"}, 0.5),
        ({"a/b": "300000 100000\n"}, 3.0),
        ({"a": "150000 100000\n", "a/b": "max 100000\n"}, 1.5),  # a group above limits too
        ({"a": "150000 100000\n", "a/b": "400000 100000\n"}, 1.5),
        ({"a/b": "nonsense\n"}, math.inf),
    ],
)
def test_the_quota_of_version_2(tmp_path: Path, quotas: dict[str, str], expected: float) -> None:
    written(tmp_path / "own", "0::/a/b\n")
    for group, text in quotas.items():
        written(tmp_path / "fs" / group / "cpu.max", text)
    assert cpu_quota(tmp_path / "fs", tmp_path / "own") == expected


@pytest.mark.parametrize("mounted", ["cpu,cpuacct", "cpu"])
@pytest.mark.parametrize(("quota", "expected"), [(-1, math.inf), (250000, 2.5)])
def test_the_quota_of_version_1(tmp_path: Path, mounted: str, quota: int, expected: float) -> None:
    written(tmp_path / "own", "12:memory:/x\n4:cpu,cpuacct:/docker/abc\n0::/ignored\n")
    # inside a container its own group is the root of what is mounted
    written(tmp_path / "fs" / mounted / "cpu.cfs_quota_us", f"{quota}\n")
    written(tmp_path / "fs" / mounted / "cpu.cfs_period_us", "100000\n")
    assert cpu_quota(tmp_path / "fs", tmp_path / "own") == expected


def test_a_machine_without_control_groups_has_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path, tmp_path / "none") == math.inf


def threads_of(code: str, **variables: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.endswith(("_THREADS", "_POLICY"))} | variables
    line = [sys.executable, "-c", f"from dns_core.cores import limit_threads, n_threads; {code}"]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_one_setting_reaches_every_library() -> None:
    code = (
        "limit_threads(); import numba, torch; from threadpoolctl import threadpool_info; "
        "pools = {pool['num_threads'] for pool in threadpool_info()}; "
        "print(n_threads(), numba.get_num_threads(), torch.get_num_threads(), pools)"
    )
    assert threads_of(code, DNS_THREADS="1") == "1 1 1 {1}"


def test_the_affinity_counts() -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(n_threads())"
    assert threads_of(code) == "1"
    assert threads_of("limit_threads(); import os; print(os.environ['OMP_WAIT_POLICY'])") == "PASSIVE"
