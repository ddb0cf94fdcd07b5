"""training.npz, training.json: outputs, losses, gradients and steps of Adam, dropout at 0."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dns_core.models.coarse import CoarseStudent
from dns_core.models.fine import FineStudent
from dns_core.training.losses import distillation_loss
from tests.oracles.reference_files import arrays, figures

TRIPLETS = [("f030", "f064", "f150"), ("f064", "f030", "f004"), ("f007", "f030", "f064")]
PAIRS = [
    ("f030", "f064"),
    ("f064", "f150"),
    ("f007", "f030"),
    ("f004", "f150"),
    ("f150", "f007"),
    ("f030", "f004"),
]
RUNS = ["fg_att/train", "fg_none/train", "fg_bin/train", "fg_bin/eval", "cg_small/train"]
LEARNT = [run for run in RUNS if "adam_losses" in figures("training.json")[run]]
TRAINING = arrays("training.npz")

Batch = tuple[Tensor, Tensor, Tensor]


@pytest.fixture(scope="module")
def batch(padded: Callable[..., tuple[Tensor, Tensor]]) -> Batch:
    regions, mask = padded([triplet[i] for i in range(3) for triplet in TRIPLETS], 150)
    np.testing.assert_array_equal(mask.numpy(), TRAINING["student/masks"].astype(bool))
    return regions, mask, torch.from_numpy(TRAINING["student/similarities"])


def student(run: str, build: Callable[..., Any]) -> FineStudent | CoarseStudent:
    model, mode = run.split("/")
    changes = {"transformer_dropout": 0.0} if model.startswith("cg") else {}
    network: FineStudent | CoarseStudent = build(model, **changes)
    return network.train(mode == "train")


def similarities(network: FineStudent | CoarseStudent, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Of the positives, of the negatives, and the regularisation (0 if there is none)."""
    regions, mask, _ = batch
    anchors, positives, negatives = network.index(regions, mask).chunk(3)
    if isinstance(network, CoarseStudent):
        return (anchors * positives).sum(1), (anchors * negatives).sum(1), torch.zeros(())
    a, p, n = mask.chunk(3)
    positive, excess = network.pair_similarity(anchors, positives, a, p)
    negative, more = network.pair_similarity(anchors, negatives, a, n)
    return positive, negative, excess + more


def total_loss(network: nn.Module, batch: Batch, found: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    positive, negative, excess = found
    wanted = batch[2] / 2 + 0.5 if isinstance(network, CoarseStudent) else batch[2]
    return distillation_loss(torch.stack([positive, negative], 1), wanted) + 1e-3 * excess


@pytest.mark.parametrize("run", RUNS)
def test_outputs_losses_and_gradients(run: str, batch: Batch, build: Callable[..., Any]) -> None:
    expected = figures("training.json")[run]
    network = student(run, build)
    found = similarities(network, batch)
    for side, values in zip(("pos", "neg"), found, strict=False):
        stored = TRAINING[f"{run}/{side}"][:, 0]
        np.testing.assert_allclose(values.detach().numpy(), stored, rtol=0, atol=2e-5)
    assert found[2].item() == pytest.approx(expected["reg"] or 0.0, rel=1e-5)
    loss = total_loss(network, batch, found)
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-5)
    assert loss.item() - 1e-3 * found[2].item() == pytest.approx(expected["l1"], rel=1e-4)
    torch.autograd.backward(loss)
    compare_gradients(network, run, expected)


def compare_gradients(network: nn.Module, run: str, expected: Mapping[str, Any]) -> None:
    stored_names = {name.removeprefix(f"{run}/grad/") for name in TRAINING if name.startswith(f"{run}/grad/")}
    names = dict(network.named_parameters())
    assert stored_names <= names.keys()
    assert set(expected["grad_norms"]) == names.keys()
    for name, parameter in names.items():
        norm = 0.0 if parameter.grad is None else parameter.grad.norm().item()
        assert norm == pytest.approx(expected["grad_norms"][name], rel=1e-3, abs=1e-7), name
        if name in stored_names:
            assert parameter.grad is not None
            stored = TRAINING[f"{run}/grad/{name}"]
            largest = float(np.abs(stored).max())
            np.testing.assert_allclose(parameter.grad.numpy(), stored, rtol=0, atol=1e-3 * largest)


@pytest.mark.parametrize("run", LEARNT)
def test_five_steps_of_adam(run: str, batch: Batch, build: Callable[..., Any]) -> None:
    expected = figures("training.json")[run]
    network = student(run, build)
    optimizer = torch.optim.Adam(network.parameters(), lr=expected["adam_lr"])
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = total_loss(network, batch, similarities(network, batch))
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert losses == pytest.approx(expected["adam_losses"], abs=1e-4)
    for name, norm in expected.get("param_norms_after5", {}).items():
        assert network.get_parameter(name).norm().item() == pytest.approx(norm, rel=1e-4), name


def selector_logits(network: Any, padded: Callable[..., tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    numbers = network.index(*padded([query for query, _ in PAIRS] + [target for _, target in PAIRS], 150))
    coarse = torch.from_numpy(TRAINING["selector/sims"])
    return numbers, network.logits(torch.stack([*numbers.chunk(2), coarse], dim=1))


def learning_selector(build: Callable[..., Any]) -> Any:
    network = build("selector").train()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return network


def test_selector(
    padded: Callable[..., tuple[Tensor, Tensor]], build: Callable[..., Any], close: Callable[..., None]
) -> None:
    network = learning_selector(build)
    numbers, logits = selector_logits(network, padded)
    close(numbers, TRAINING["selector/features"])
    close(torch.sigmoid(logits), TRAINING["selector/pred"])
    labels = torch.from_numpy(TRAINING["selector/labels"])
    loss = F.binary_cross_entropy_with_logits(logits, labels)
    expected = figures("training.json")["selector/train"]
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-5)
    for name, buffer in network.named_buffers():
        close(buffer, TRAINING[f"selector/buffers_after/{name}"])
    torch.autograd.backward(loss)
    for name, parameter in network.named_parameters():
        # Batch normalisation takes this bias out again: its gradient is rounding.
        if name != "visil_head.fconv.bias":
            assert parameter.grad.norm().item() == pytest.approx(expected["grad_norms"][name], rel=1e-3), name


def test_five_steps_of_the_selector(
    padded: Callable[..., tuple[Tensor, Tensor]], build: Callable[..., Any]
) -> None:
    network = learning_selector(build)
    expected = figures("training.json")["selector/train"]
    optimizer = torch.optim.Adam(network.parameters(), lr=expected["adam_lr"])
    labels = torch.from_numpy(TRAINING["selector/labels"])
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(selector_logits(network, padded)[1], labels)
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert losses == pytest.approx(expected["adam_losses"], abs=1e-4)
