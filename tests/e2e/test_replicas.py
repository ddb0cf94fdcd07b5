"""Two processes that train one student together learn what one process learns."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dns_core.models.checkpoints import load_network
from dns_core.params import load_params, run_stage
from dns_core.stages.context import StageContext, Workspace
from dns_core.store.atomic import read_json


@pytest.mark.slow
@pytest.mark.parametrize("student", ["fine_attention", "coarse"])
def test_two_processes_learn_what_one_does(workspace_copy: Path, student: str) -> None:
    overrides = [f"train_student.{student}.optimisation.{key}" for key in ("epochs=3", "precision=fp32")]
    params = load_params(workspace_copy / "params.yaml", overrides)
    workspace = Workspace(workspace_copy)
    curves, weights = [], []
    for count in (1, 2):
        run_stage("train_student", params, StageContext(workspace, item=student, n_devices=count))
        log = read_json(workspace.training_log(student))
        curves.append([*log["train_losses"], *log["validation_losses"]])
        state = load_network(workspace.model(student)).network.state_dict()
        weights.append(torch.cat([tensor.flatten().float() for tensor in state.values()]))
        assert not workspace.partial(f"{student}.checkpoint").exists()
    alone, together = curves
    assert np.allclose(together, alone, rtol=1e-3)
    assert alone[0] != pytest.approx(alone[2], rel=2e-3)  # something was learnt
    assert torch.allclose(weights[1], weights[0], rtol=1e-2, atol=1e-4)
