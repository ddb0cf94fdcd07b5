"""A Ray cluster of two machines, both of which are this one."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from benchmarks.ray_machines import RayMachines, ray_machines


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayMachines]:
    """One cluster for all tests of a process: Ray reads the token of the first one and keeps it."""
    if find_spec("ray") is None:
        pytest.skip("ray is not installed (extra cluster): the cluster is not tested")
    with ray_machines(2, tmp_path_factory.mktemp("cluster")) as found:
        yield found
