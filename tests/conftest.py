"""What every test has: one thread for torch, so that its sums repeat and test workers share the cores."""

import torch


def pytest_configure() -> None:
    torch.set_num_threads(1)
