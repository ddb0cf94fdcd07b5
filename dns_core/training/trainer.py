"""The one training loop: epochs, validation, early stop, and resumption bit for bit."""

import math
import pickle
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from dns_core.errors import CorruptArtefactError
from dns_core.ports import Progress, RunLogger
from dns_core.precision import autocast
from dns_core.store.atomic import atomic_file
from dns_core.training.config import OptimisationConfig
from dns_core.training.data_parallel import SINGLE, DataParallel


class Objective(Protocol):
    """What is learnt. Batches and validation depend on the seed and the epoch alone."""

    @property
    def network(self) -> nn.Module:
        """What is trained, in place."""
        ...

    def batches(self, epoch: int) -> Iterator[Any]:
        """Yield the epoch's batches; the same for the same seed and epoch."""
        ...

    def loss(self, batch: Any) -> Tensor:
        """Scalar to minimise on one batch."""
        ...

    def validation_loss(self) -> float:
        """Figure to minimise on held-out data; lower is better."""
        ...


@dataclass(frozen=True, slots=True)
class FitReport:
    """How training went: mean losses by epoch, and the epoch whose weights were kept."""

    train_losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    best_epoch: int
    resumed_from: int


@dataclass
class _State:
    """Everything that a resumed run needs, besides what the seed and the epoch determine."""

    epoch: int
    train_losses: list[float]
    validation_losses: list[float]
    best_epoch: int
    best_weights: dict[str, Tensor]


class Trainer:
    """Minimises an objective and keeps the weights of the best validation epoch.

    A checkpoint is written after every epoch: weights, optimiser, best weights, losses and the digest of
    data and settings. Each epoch re-seeds torch from (seed, epoch), so no generator state has to be kept
    and a killed run that starts again ends with the same bits as one that was never interrupted.

    Args:
        objective: what is learnt; its network is trained in place.
        config: optimisation settings.
        checkpoint: file to resume from and to write to; removed by `finish`.
        digest: fingerprint of data, parents and settings; a checkpoint with another one is ignored.
        seed: seed of initial order, dropout and sampling.
        replicas: the processes that train it together; the first alone writes checkpoints.
    """

    def __init__(  # noqa: PLR0913
        self,
        objective: Objective,
        config: OptimisationConfig,
        *,
        checkpoint: Path,
        digest: str,
        seed: int,
        replicas: DataParallel = SINGLE,
    ) -> None:
        self._objective = objective
        self._config = config
        self._checkpoint = checkpoint
        self._digest = digest
        self._seed = seed
        self._replicas = replicas
        parameters = [p for p in objective.network.parameters() if p.requires_grad]
        self._optimiser = torch.optim.AdamW(
            parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )

    def fit(self, progress: Progress, logger: RunLogger) -> FitReport:
        """Train to the last epoch or the early stop; the network ends with the best weights."""
        with _deterministic():
            return self._fit(progress, logger)

    def _fit(self, progress: Progress, logger: RunLogger) -> FitReport:
        state = self._resume()
        resumed_from = state.epoch
        remaining = range(state.epoch, self._config.epochs)
        for epoch in progress.track(remaining, "training epochs", len(remaining)):
            if epoch - state.best_epoch > self._config.patience:
                break
            train_loss = self._run_epoch(epoch)
            validation_loss = self._validate()
            self._record(state, epoch, train_loss, validation_loss)
            logger.log_metrics({"train_loss": train_loss, "validation_loss": validation_loss}, step=epoch)
            if self._replicas.is_leader:
                self._save(state)
        self._objective.network.load_state_dict(state.best_weights)
        self._objective.network.eval()
        return FitReport(
            tuple(state.train_losses), tuple(state.validation_losses), state.best_epoch, resumed_from
        )

    def finish(self) -> None:
        """Remove the checkpoint, once what was trained is safely written."""
        self._checkpoint.unlink(missing_ok=True)

    def _run_epoch(self, epoch: int) -> float:
        torch.manual_seed(self._seed * 100_003 + epoch)
        self._set_learning_rate(epoch)
        self._objective.network.train()
        total = 0.0
        count = 0
        for batch in self._objective.batches(epoch):
            with self._precision():
                loss = self._objective.loss(batch)
            self._optimiser.zero_grad(set_to_none=True)
            self._replicas.backward(loss, self._objective.network)
            nn.utils.clip_grad_norm_(self._objective.network.parameters(), 1.0)
            self._optimiser.step()
            total += float(loss.detach())
            count += 1
        return total / max(count, 1)

    def _set_learning_rate(self, epoch: int) -> None:
        progress = epoch / max(self._config.epochs - 1, 1)
        share = 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * progress))
        for group in self._optimiser.param_groups:
            group["lr"] = self._config.learning_rate * share

    def _validate(self) -> float:
        self._objective.network.eval()
        with torch.inference_mode(), self._precision():
            return self._objective.validation_loss()

    def _precision(self) -> AbstractContextManager[None]:
        return autocast(self._config.precision, next(self._objective.network.parameters()).device)

    def _record(self, state: _State, epoch: int, train_loss: float, validation_loss: float) -> None:
        state.epoch = epoch + 1
        state.train_losses.append(train_loss)
        state.validation_losses.append(validation_loss)
        if validation_loss <= min(state.validation_losses):
            state.best_epoch = epoch
            state.best_weights = _copy(self._objective.network.state_dict())

    def _save(self, state: _State) -> None:
        content = {
            "digest": self._digest,
            "network": self._objective.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            **vars(state),
        }
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(self._checkpoint) as path, path.open("wb") as file:
            torch.save(content, file)

    def _resume(self) -> _State:
        fresh = _State(0, [], [], 0, _copy(self._objective.network.state_dict()))
        if not self._checkpoint.exists():
            return fresh
        try:
            content = torch.load(self._checkpoint, weights_only=True)
        except (RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
            raise CorruptArtefactError(
                f"{self._checkpoint}: not a checkpoint of this software ({error}); delete it to start over"
            ) from error
        if content.pop("digest") != self._digest:
            return fresh
        self._objective.network.load_state_dict(content.pop("network"))
        self._optimiser.load_state_dict(content.pop("optimiser"))
        return _State(**content)


@contextmanager
def _deterministic() -> Iterator[None]:
    """Inside, torch adds gradients of gathered rows in a fixed order; some do so in parallel otherwise."""
    before = torch.are_deterministic_algorithms_enabled()
    filling = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads memory before it is written, and filling it costs bandwidth.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        torch.utils.deterministic.fill_uninitialized_memory = filling  # type: ignore[attr-defined]


def _copy(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in state.items()}
