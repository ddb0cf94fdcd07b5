"""What the three training stages share: fit, keep the best weights, save them with their parents."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from dns_core.models.checkpoints import save_network
from dns_core.models.export import export_network
from dns_core.store.atomic import write_json
from dns_core.store.fingerprints import fingerprint_json
from dns_core.training.config import OptimisationConfig
from dns_core.training.data_parallel import SINGLE, DataParallel
from dns_core.training.trainer import FitReport, Objective, Trainer
from dns_core.workspace import StageContext, Workspace


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network to be trained and what its file will say of it.

    Attributes:
        name: of the file in the bundle.
        network: trained in place.
        architecture: its key in the registry of architectures.
        config: what it was built of.
        parents: fingerprints of what it is made from.
        settings: the stage's params, with ``seed``; they and the parents decide
            if a checkpoint may be resumed.
    """

    name: str
    network: nn.Module
    architecture: str
    config: Mapping[str, Any]
    parents: Mapping[str, str]
    settings: Mapping[str, Any]


def fit_and_save(  # noqa: PLR0913
    trained: TrainedNetwork,
    objective: Objective,
    optimisation: OptimisationConfig,
    context: StageContext,
    *,
    finishing: Callable[[], Mapping[str, Any]] | None = None,
    replicas: DataParallel = SINGLE,
) -> None:
    """Train, then write weights and losses; resumes when the same training was interrupted.

    Args:
        trained: the network and its description.
        objective: what it learns.
        optimisation: how.
        context: where.
        finishing: the last that is done to the trained network before it is saved; what it found is kept
            beside the losses.
        replicas: the processes that train it together; the first alone writes.
    """
    trainer = Trainer(
        objective,
        optimisation,
        checkpoint=context.workspace.partial(f"{trained.name}.checkpoint"),
        digest=fingerprint_json({**trained.settings, **trained.parents}),
        seed=int(trained.settings["seed"]),
        replicas=replicas,
    )
    report = trainer.fit(context.progress, context.logger)
    if not replicas.is_leader:
        return
    found = finishing() if finishing is not None else {}
    _save(trained, {**asdict(report), **found, "resumed_from": 0}, context.workspace)
    trainer.finish()
    _tell_result(trained.name, report, context)


def _save(trained: TrainedNetwork, log: Mapping[str, Any], workspace: Workspace) -> None:
    write_json(workspace.training_log(trained.name), log)
    path = workspace.model(trained.name)
    save_network(
        path,
        trained.network.cpu(),
        architecture=trained.architecture,
        config=trained.config,
        provenance={**trained.parents, "params": fingerprint_json(dict(trained.settings))},
    )
    if trained.architecture != "teacher":  # which no search and no index needs
        export_network(path)


def _tell_result(name: str, report: FitReport, context: StageContext) -> None:
    if report.resumed_from:
        context.progress.say(f"{name}: resumed after epoch {report.resumed_from}")
    context.progress.say(
        f"{name}: validation loss {report.validation_losses[report.best_epoch]:.4f} "
        f"at epoch {report.best_epoch + 1} of {len(report.validation_losses)}"
    )
