"""Processes that train one network together, one a GPU: each does its share of the pairs of every batch.

All draw the same batches, since these depend on seed and epoch alone, and hold the same weights. The
predictions of all are joined before the loss is taken, so the loss is that of the whole batch, and each
adds up the gradients of all. What one process would learn differs from it only by the order of sums.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import ProcessContext, start_processes

_PATIENCE = timedelta(minutes=10)


class DataParallel:
    """The place of this process among those that train together.

    Args:
        rank: of this process; rank 0 writes checkpoints and logs.
        count: of all.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self._rank = rank
        self._count = count

    @property
    def is_leader(self) -> bool:
        """Whether this process writes what is learnt."""
        return self._rank == 0

    def share(self, n: int) -> slice:
        """Which of ``n`` rows are this process's; none if there are fewer rows than processes."""
        return slice(n * self._rank // self._count, n * (self._rank + 1) // self._count)

    def joined(self, own: Tensor, n: int) -> Tensor:
        """``[n]`` rows of all processes; the gradient goes into this one's rows ``own`` alone."""
        if self._count == 1:
            return own
        rows = torch.zeros(n, dtype=own.dtype, device=own.device)
        rows[self.share(n)] = own.detach()
        distributed.all_reduce(rows)
        rows = rows.clone()
        rows[self.share(n)] = own
        return rows

    def summed(self, own: Tensor) -> Tensor:
        """Scalar: the sum of every process's; the gradient goes into this one's alone."""
        if self._count == 1:
            return own
        total = own.detach().clone()
        distributed.all_reduce(total)
        return total - own.detach() + own

    def backward(self, loss: Tensor, network: nn.Module) -> None:
        """Give every trained weight the gradient of the whole batch's loss."""
        if loss.requires_grad:  # a process without a share has no part in it
            loss.backward()  # type: ignore[no-untyped-call]
        if self._count == 1:
            return
        for weights in network.parameters():
            if weights.requires_grad:
                if weights.grad is None:
                    weights.grad = torch.zeros_like(weights)
                distributed.all_reduce(weights.grad)


SINGLE = DataParallel()
"""Single-process training."""


@contextmanager
def training_together(
    count: int, device: str, follow: Callable[..., object], *arguments: object
) -> Iterator[DataParallel]:
    """Yield the place of this process, the leader, while ``count - 1`` others follow.

    Args:
        count: of all processes; 1 starts none.
        device: ``cuda``, of which each process takes the GPU of its rank, or ``cpu``.
        follow: is called in each of the others with its place, its device and ``arguments``; a function of
            a module, since they are fresh processes.
        arguments: can be pickled.
    """
    if count == 1:
        yield SINGLE
        return
    with tempfile.TemporaryDirectory() as folder:
        group = _Group(count, device, (Path(folder) / "meeting").as_uri())
        others = start_processes(_follow, (group, follow, arguments), nprocs=count - 1, join=False)  # type: ignore[no-untyped-call]
        try:
            with group.joined(0) as replicas:
                yield replicas
            while not others.join():
                pass
        except BaseException:
            _stop(others)
            raise


@dataclass(frozen=True, slots=True)
class _Group:
    """Processes that find one another by a file."""

    count: int
    device: str
    meeting: str

    @contextmanager
    def joined(self, rank: int) -> Iterator[DataParallel]:
        if self.device == "cuda":
            torch.cuda.set_device(rank)
        distributed.init_process_group(
            "nccl" if self.device == "cuda" else "gloo",
            init_method=self.meeting,
            rank=rank,
            world_size=self.count,
            timeout=_PATIENCE,
        )
        try:
            yield DataParallel(rank, self.count)
        finally:
            distributed.destroy_process_group()


def _follow(number: int, group: _Group, follow: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    rank = number + 1
    with group.joined(rank) as replicas:
        follow(replicas, f"cuda:{rank}" if group.device == "cuda" else group.device, *arguments)


def _stop(others: ProcessContext) -> None:
    for process in others.processes:
        process.terminate()
        process.join()
