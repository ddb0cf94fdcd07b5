"""Stage ``train_student``: one of fine_attention, fine_binary, coarse.

Reads: artifacts/models/teacher.safetensors (first weights of the fine students), whitened train and views,
    artifacts/pairs/labelled_NETWORK.parquet of the network that it learns from.
Writes: artifacts/models/STUDENT.safetensors, artifacts/training/STUDENT.json (losses by epoch).
Params: train_student.
Repeats exactly: yes on one machine, number of threads and of GPUs, also when interrupted and resumed.
"""

from pathlib import Path
from typing import Any, Literal, Self, cast

import torch
from pydantic import Field, model_validator

from dns_core.models.checkpoints import load_network
from dns_core.models.coarse import CoarseStudent
from dns_core.models.fine import FineStudent
from dns_core.models.registry import build_network
from dns_core.models.teacher import Teacher
from dns_core.stages.shared.fitting import TrainedNetwork, fit_and_save
from dns_core.stages.shared.training_features import training_features
from dns_core.store.fingerprints import fingerprint_file
from dns_core.training.batches import FeatureSet
from dns_core.training.config import OptimisationConfig
from dns_core.training.data_parallel import DataParallel, training_together
from dns_core.training.distillation import DistillationConfig, LabelledPair, Student, StudentObjective
from dns_core.training.initialisation import sampled_regions, start_as_mean, start_codes, start_from_teacher
from dns_core.training.mining import read_table
from dns_core.workspace import StageConfig, StageContext, Workspace


class StudentConfig(StageConfig):
    """One student.

    Attributes:
        learns_from: whose similarities it learns; those of ``fine_attention`` are a second round, of which
            the reference's released students are.
        network: how it differs from its architecture's defaults.
        frozen: parts that keep their first values, which spares their gradients; ``binarization`` keeps
            the codes of ITQ.
        optimisation: of the other weights.
    """

    learns_from: Literal["teacher", "fine_attention"]
    network: dict[str, bool | int | float | str]
    frozen: tuple[str, ...]
    optimisation: OptimisationConfig


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        distillation: how pairs become batches, for all students.
        code_sigma: variance of the noise that makes the binary student's codes smooth in training.
        fine_attention: the attention student.
        fine_binary: the binary student.
        coarse: the one-vector student.
        seed: of weights and draws.
    """

    distillation: DistillationConfig
    code_sigma: float = Field(gt=0)
    fine_attention: StudentConfig
    fine_binary: StudentConfig
    coarse: StudentConfig
    seed: int

    @model_validator(mode="after")
    def _attention_first(self) -> Self:
        if self.fine_attention.learns_from != "teacher":
            raise ValueError("fine_attention learns from the teacher: it is not there before it is trained")
        return self


def run(config: Config, context: StageContext) -> None:
    """Distil what it learns from into the student that ``context.item`` names, on every device together."""
    work = (config, context.workspace, context.item)
    with training_together(context.n_devices, context.device, _follow, *work) as replicas:
        _train(config, context, replicas)


def _follow(replicas: DataParallel, device: str, config: Config, workspace: Workspace, item: str) -> None:
    _train(config, StageContext(workspace, item=item, device=device), replicas)


def _train(config: Config, context: StageContext, replicas: DataParallel) -> None:
    name = context.item
    student_config: StudentConfig = getattr(config, name)
    workspace = context.workspace
    with training_features(workspace) as features:
        torch.manual_seed(config.seed)
        network_config = {"dims": features.dims, **student_config.network}
        student = cast("Student", build_network(name, network_config))
        if isinstance(student, CoarseStudent):
            start_as_mean(student)
        else:
            _initialise(student, config, context, features)
        for part in student_config.frozen:
            student.get_submodule(part).requires_grad_(False)
        table = workspace.table(f"labelled_{student_config.learns_from}")
        pairs = {side: _labelled(table, side) for side in ("train", "validation")}
        objective = StudentObjective(
            student.to(context.device),
            features,
            train=pairs["train"],
            validation=pairs["validation"],
            config=config.distillation,
            seed=config.seed,
            replicas=replicas,
        )
        parents = {
            "features": features.fingerprint,
            "teacher": load_network(workspace.model("teacher"), expect="teacher").fingerprint,
            "pairs": fingerprint_file(table),
        }
        settings = {**student_config.model_dump(), **_shared(config)}
        trained = TrainedNetwork(name, student, name, network_config, parents, settings)
        fit_and_save(trained, objective, student_config.optimisation, context, replicas=replicas)


def _shared(config: Config) -> dict[str, Any]:
    return config.model_dump(include={"distillation", "code_sigma", "seed"})


def _initialise(student: FineStudent, config: Config, context: StageContext, features: FeatureSet) -> None:
    loaded = load_network(context.workspace.model("teacher"), expect="teacher")
    sample = sampled_regions(features, features.ids, 2048, config.seed)
    if student.binarization is not None:
        vectors = sample.reshape(-1, sample.shape[-1])
        start_codes(student, vectors, sigma=config.code_sigma, seed=config.seed)
    start_from_teacher(student, cast("Teacher", loaded.network), sample[:128])


def _labelled(table: Path, side: str) -> list[LabelledPair]:
    columns = read_table(table)
    rows = zip(*(columns[name] for name in ("anchor", "target", "pool", "similarity", "side")), strict=True)
    return [LabelledPair(*row[:4]) for row in rows if row[4] == side]
