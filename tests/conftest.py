"""What every test has: one thread for torch, so that its sums repeat and test workers share the cores.

The cluster is here as well: a process can have one of them only.
"""

import torch

from tests.dns_ops.machines import machines  # noqa: F401 - a fixture


def pytest_configure() -> None:
    torch.set_num_threads(1)
