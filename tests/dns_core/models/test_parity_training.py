"""Outputs, losses, gradients and steps of Adam against the reference, dropout at 0."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dns_core.models.coarse import CoarseStudent
from dns_core.models.fine import FineStudent
from dns_core.models.registry import build_network
from dns_core.models.selector import Selector

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

Batch = tuple[Tensor, Tensor, Tensor]


@pytest.fixture(scope="module")
def batch(padded: Callable[..., tuple[Tensor, Tensor]], golden: Mapping[str, Any]) -> Batch:
    regions, mask = padded([triplet[i] for i in range(3) for triplet in TRIPLETS], 150)
    np.testing.assert_array_equal(mask.numpy(), golden["training/student/masks"].astype(bool))
    return regions, mask, torch.from_numpy(golden["training/student/similarities"])


def build(model: Mapping[str, Any]) -> FineStudent | CoarseStudent:
    config = dict(model["config"])
    if "transformer" in config:
        network = build_network("coarse", {**config, "transformer_dropout": 0.0})
        assert isinstance(network, CoarseStudent)
        return network
    return FineStudent(compatibility="reference", **config)


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


def distillation_loss(network: nn.Module, batch: Batch, found: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    positive, negative, excess = found
    wanted = batch[2] / 2 + 0.5 if isinstance(network, CoarseStudent) else batch[2]
    return F.l1_loss(torch.stack([positive, negative], 1), wanted) + 1e-3 * excess


@pytest.mark.parametrize("run", RUNS)
def test_outputs_and_gradients(
    run: str,
    batch: Batch,
    figures: Mapping[str, Any],
    golden: Mapping[str, Any],
    with_rule: Callable[..., Any],
) -> None:
    model, mode = run.split("/")
    expected = figures["training"][run]
    network = with_rule(build(figures["models"][model]), model).train(mode == "train")
    positive, negative, excess = similarities(network, batch)
    pairs = torch.stack([positive, negative]).detach().numpy()
    stored_pairs = [golden[f"training/{run}/{side}"][:, 0] for side in ("pos", "neg")]
    np.testing.assert_allclose(pairs, stored_pairs, rtol=0, atol=2e-5)
    assert excess.item() == pytest.approx(expected["reg"] or 0.0, rel=1e-5)
    loss = distillation_loss(network, batch, (positive, negative, excess))
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-5)
    torch.autograd.backward(loss)
    for name, parameter in network.named_parameters():
        norm = 0.0 if parameter.grad is None else parameter.grad.norm().item()
        assert norm == pytest.approx(expected["grad_norms"][name], rel=1e-3, abs=1e-7), name
        stored = golden.get(f"training/{run}/grad/{name}")
        if stored is not None:
            largest = float(np.abs(stored).max())
            np.testing.assert_allclose(parameter.grad.numpy(), stored, rtol=0, atol=1e-3 * largest)


@pytest.mark.parametrize("model", ["fg_att", "cg_small"])
def test_steps_of_adam(
    model: str, batch: Batch, figures: Mapping[str, Any], with_rule: Callable[..., Any]
) -> None:
    expected = figures["training"][f"{model}/train"]
    network = with_rule(build(figures["models"][model]), model).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=expected["adam_lr"])
    losses = []
    for _ in range(2):
        optimizer.zero_grad()
        loss = distillation_loss(network, batch, similarities(network, batch))
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert losses == pytest.approx(expected["adam_losses"][:2], abs=2e-5)


def test_selector(
    padded: Callable[..., tuple[Tensor, Tensor]],
    golden: Mapping[str, Any],
    figures: Mapping[str, Any],
    with_rule: Callable[..., Any],
    close: Callable[..., None],
) -> None:
    network = with_rule(Selector(512, compatibility="reference"), "selector").train()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    numbers = network.index(*padded([query for query, _ in PAIRS] + [target for _, target in PAIRS], 150))
    close(numbers, golden["training/selector/features"])
    coarse = torch.from_numpy(golden["training/selector/sims"])
    logits = network.logits(torch.stack([*numbers.chunk(2), coarse], dim=1))
    close(torch.sigmoid(logits), golden["training/selector/pred"])
    loss = F.binary_cross_entropy_with_logits(logits, torch.from_numpy(golden["training/selector/labels"]))
    expected = figures["training"]["selector/train"]
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-5)
    for name, buffer in network.named_buffers():
        close(buffer, golden[f"training/selector/buffers_after/{name}"])
    torch.autograd.backward(loss)
    for name, parameter in network.named_parameters():
        # Batch normalisation takes this bias out again: its gradient is rounding.
        if name != "visil_head.fconv.bias":
            assert parameter.grad.norm().item() == pytest.approx(expected["grad_norms"][name], rel=1e-3), name
