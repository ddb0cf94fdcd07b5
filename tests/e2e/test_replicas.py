"""Two processes that train one student together learn what one process learns.

Steps are small: Adam's first ones have the sign of a gradient, however small it is, so that rounding alone
moves the losses of large steps by a hundredth.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dns_core.models.checkpoints import load_network
from dns_core.params import load_params, run_stage
from dns_core.store.atomic import read_json
from dns_core.workspace import StageContext, Workspace

SMALL_STEP = 1e-5


def learnt(workspace: Workspace, student: str, n_devices: int, step: float) -> tuple[list[float], Tensor]:
    """Losses of three epochs, and the weights after them."""
    wanted: dict[str, Any] = {"epochs": 3, "precision": "fp32", "learning_rate": step}
    overrides = [f"train_student.{student}.optimisation.{key}={value}" for key, value in wanted.items()]
    params = load_params(workspace.root / "params.yaml", overrides)
    run_stage("train_student", params, StageContext(workspace, item=student, n_devices=n_devices))
    assert not workspace.partial(f"{student}.checkpoint").exists()
    log = read_json(workspace.training_log(student))
    state = load_network(workspace.model(student)).network.state_dict()
    weights = torch.cat([tensor.flatten().double() for tensor in state.values()])
    return [*log["train_losses"], *log["validation_losses"]], weights


@pytest.mark.slow
@pytest.mark.parametrize("student", ["fine_attention", "coarse"])
def test_two_processes_learn_what_one_does(workspace_copy: Path, student: str) -> None:
    workspace = Workspace(workspace_copy)
    _, start = learnt(workspace, student, 1, 1e-15)
    alone, weights_alone = learnt(workspace, student, 1, SMALL_STEP)
    together, weights_together = learnt(workspace, student, 2, SMALL_STEP)
    assert np.allclose(together, alone, rtol=1e-3)
    move, other = weights_alone - start, weights_together - start
    assert move.norm() > 0
    assert torch.cosine_similarity(move, other, dim=0) > 0.999
