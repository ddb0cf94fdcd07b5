"""Stage ``train_selector``: for fine_attention or fine_binary.

Reads: artifacts/pairs/scored.parquet, artifacts/models/calibration.json, whitened train and views.
Writes: artifacts/models/selector_STUDENT.safetensors, artifacts/training/selector_STUDENT.json.
Params: train_selector.
Repeats exactly: yes on one machine and number of threads, also when interrupted and resumed.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch

from dns_core.errors import InputError
from dns_core.models.registry import build_network
from dns_core.models.selector import Selector
from dns_core.retrieval.calibration import Calibration
from dns_core.stages.shared.fitting import TrainedNetwork, fit_and_save
from dns_core.stages.shared.training_features import training_features
from dns_core.store.fingerprints import fingerprint_file
from dns_core.training.config import OptimisationConfig
from dns_core.training.mining import read_table
from dns_core.training.selection import ScoredPair, SelectionConfig, SelectorObjective
from dns_core.workspace import StageConfig, StageContext


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        network: how the selector differs from its architecture's defaults.
        frozen: parts that keep their first values, which spares their gradients.
        selection: how pairs are labelled and drawn.
        optimisation: of the weights.
        seed: of weights and draws.
    """

    network: dict[str, int]
    frozen: tuple[str, ...]
    selection: SelectionConfig
    optimisation: OptimisationConfig
    seed: int


def run(config: Config, context: StageContext) -> None:
    """Learn which pairs the fine student that ``context.item`` names would score differently."""
    workspace = context.workspace
    pairs = labelled_pairs(context, config.selection)
    share = float(np.mean([pair.worthwhile for pair in pairs["train"]]))
    if share in (0.0, 1.0):
        raise InputError(
            f"selector of {context.item}: expected pairs that are worth re-ranking and pairs that are not, "
            f"found {share:.0%} of the former at threshold {config.selection.threshold:g}"
        )
    context.progress.say(f"{context.item}: {share:.1%} of the pairs are worth re-ranking")
    with training_features(workspace) as features:
        torch.manual_seed(config.seed)
        network_config = {"dims": features.dims, **config.network}
        selector = cast("Selector", build_network("selector", network_config)).to(context.device)
        for part in config.frozen:
            selector.get_submodule(part).requires_grad_(False)
        objective = SelectorObjective(
            selector,
            features,
            train=pairs["train"],
            validation=pairs["validation"],
            config=config.selection,
            seed=config.seed,
        )
        parents = {
            "features": features.fingerprint,
            "pairs": fingerprint_file(workspace.table("scored")),
            "calibration": fingerprint_file(workspace.models / "calibration.json"),
        }
        trained = TrainedNetwork(
            f"selector_{context.item}", selector, "selector", network_config, parents, config.model_dump()
        )
        fit_and_save(
            trained,
            objective,
            config.optimisation,
            context,
            finishing=lambda: {"roc": _roc(objective, pairs["validation"])},
        )


def _roc(objective: SelectorObjective, pairs: Sequence[ScoredPair]) -> dict[str, dict[str, object]]:
    """How held-out pairs that are worth re-ranking are told from others, by the selector and without it."""
    from sklearn.metrics import auc, roc_curve  # noqa: PLC0415 - every stage loads this module, for `Config`

    labels = [pair.worthwhile for pair in pairs]
    if len(set(labels)) < 2:  # there is nothing to tell apart
        return {}
    judges = {"selector": objective.validation_logits(), "coarse score": [pair.coarse for pair in pairs]}
    curves: dict[str, dict[str, object]] = {}
    for judge, scores in judges.items():
        false_positives, true_positives, _ = roc_curve(labels, scores)
        curves[judge] = {
            "false_positive_rate": false_positives.tolist(),
            "true_positive_rate": true_positives.tolist(),
            "area": float(auc(false_positives, true_positives)),
        }
    return curves


def labelled_pairs(context: StageContext, config: SelectionConfig) -> dict[str, list[ScoredPair]]:
    """Pairs by side of the split, and whether each is worth re-ranking."""
    scale = Calibration.load(context.workspace.models / "calibration.json").scale(context.item)
    columns = read_table(context.workspace.table("scored"))
    coarse = np.array(columns["coarse"], dtype=np.float64)
    fine = np.array(columns[context.item], dtype=np.float64)
    worth = scale.probabilities(fine, np.array(columns[f"{context.item}_level"]))
    if config.label == "distance":
        level = np.array(columns[f"{context.item}_coarse_level"])
        worth = np.abs(worth - scale.probabilities(scale.expected(coarse), level))
    sides: dict[str, list[ScoredPair]] = {"train": [], "validation": []}
    for row, side in enumerate(cast("list[str]", columns["side"])):
        query, target = str(columns["query"][row]), str(columns["target"][row])
        worthwhile = bool(worth[row] > config.threshold)
        sides[side].append(ScoredPair(query, target, float(coarse[row]), worthwhile))
    return sides
