"""The training loop on the real objectives, small: it learns, resumes and stops."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch.fx.experimental import _config

from dns_core.errors import CorruptArtefactError
from dns_core.models.registry import build_network
from dns_core.models.selector import Selector
from dns_core.models.teacher import Teacher
from dns_core.ports import NullRunLogger, SilentProgress
from dns_core.training.batches import FeatureSet
from dns_core.training.config import OptimisationConfig
from dns_core.training.distillation import DistillationConfig, LabelledPair, StudentObjective
from dns_core.training.mining import PoolConfig, mine_pairs
from dns_core.training.scoring import coarse_vectors
from dns_core.training.selection import ScoredPair, SelectionConfig, SelectorObjective
from dns_core.training.teacher import SelfSupervisionConfig, TeacherObjective
from dns_core.training.trainer import Trainer

OPTIMISATION = OptimisationConfig(
    epochs=3, learning_rate=1e-3, weight_decay=0.0, patience=9, precision="fp32"
)
RECIPE = SelfSupervisionConfig(
    batch_videos=4,
    window_frames=8,
    temperature=0.03,
    hard_negative_weight=1.0,
    regularisation_weight=0.1,
    augmentation_probability=0.3,
    video_in_video_probability=0.5,
    excerpt_probability=0.5,
)
DISTILLATION = DistillationConfig(
    batch_triplets=4, window_frames=8, augmentation_probability=0.3, regularisation_weight=1e-3
)
COARSE = {
    "transformer_heads": 4,
    "transformer_feedforward_dims": 32,
    "netvlad_clusters": 4,
    "netvlad_outdims": 16,
}


def teacher_objective(corpus: FeatureSet, sources: tuple[str, ...]) -> Any:
    alike = {
        video_id: frozenset({f"v{int(video_id[1:-4]) ^ 1}.mp4"}) for video_id in sources
    }  # 2k and 2k + 1 share footage
    return TeacherObjective(
        cast("Teacher", build_network("teacher", {"dims": 64})),
        corpus,
        train=sources[:8],
        validation=sources[8:],
        alike=alike,
        n_views=2,
        config=RECIPE,
        seed=1,
    )


def student_objective(corpus: FeatureSet, name: str, judged: slice = slice(60, 90)) -> Any:
    pairs = []
    for pair in mine_pairs(
        corpus, corpus.ids, PoolConfig(excerpts=1, near=3, far=3, seed=0), SilentProgress()
    ):
        same = pair.anchor.split("#")[0] == pair.target.split("#")[0]
        pairs.append(LabelledPair(pair.anchor, pair.target, pair.pool, 0.9 if same else -0.8))
    network: Any = build_network(name, {"dims": 64, **COARSE} if name == "coarse" else {"dims": 64})
    return StudentObjective(
        network, corpus, train=pairs[:60], validation=pairs[judged], config=DISTILLATION, seed=1
    )


def selector_objective(corpus: FeatureSet, sources: tuple[str, ...], frozen: bool = False) -> Any:
    rng = np.random.default_rng(0)
    pairs = [
        ScoredPair(query, target, float(coarse := rng.uniform(-1, 1)), bool(coarse > 0))
        for query in sources
        for target in sources
    ]
    network = cast("Selector", build_network("selector", {"dims": 64}))
    network.attention.requires_grad_(not frozen)
    return SelectorObjective(
        network,
        corpus,
        train=pairs[:100],
        validation=pairs[100:],
        config=SelectionConfig(label="distance", threshold=0.2, batch_pairs=16, epoch_pairs=64),
        seed=1,
    )


def objective_of(name: str, corpus: FeatureSet, sources: tuple[str, ...]) -> Any:
    torch.manual_seed(3)
    if name == "teacher":
        return teacher_objective(corpus, sources)
    if name == "selector":
        return selector_objective(corpus, sources)
    return student_objective(corpus, name)


def trainer_of(
    objective: Any, checkpoint: Path, optimisation: OptimisationConfig = OPTIMISATION, digest: str = "d"
) -> Any:
    return Trainer(objective, optimisation, checkpoint=checkpoint, digest=digest, seed=1)


class InterruptedTrainingError(Exception):
    """Stands for a kill after some epochs."""


class StopsAfter(NullRunLogger):
    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:  # noqa: ARG002
        if step == self.epochs:
            raise InterruptedTrainingError


NETWORKS = ["teacher", "fine_attention", "coarse", "selector"]


@pytest.mark.parametrize("name", NETWORKS)
def test_batches_are_where_the_network_is(
    name: str, corpus: FeatureSet, sources: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = objective_of(name, corpus, sources)
    objective.network.to("meta")  # a device that every machine has besides its processor
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda _: False)  # knows no such device
    # That device cannot count which frames are there: it takes all.
    monkeypatch.setattr("dns_core.models.coarse._lengths", lambda mask: [mask.shape[1]] * len(mask))
    with _config.patch(meta_nonzero_assume_all_nonzero=True):  # type: ignore[attr-defined]
        loss = objective.loss(next(iter(objective.batches(0))))
        loss.backward()
    assert loss.device.type == "meta"
    assert all(p.grad.device.type == "meta" for p in objective.network.parameters() if p.grad is not None)


def test_gates_that_do_not_learn_are_computed_once_and_change_nothing(
    corpus: FeatureSet, sources: tuple[str, ...]
) -> None:
    torch.manual_seed(3)
    every_time = selector_objective(corpus, sources)
    torch.manual_seed(3)
    once = selector_objective(corpus, sources, frozen=True)
    for objective in (every_time, once):
        objective.network.eval()
    with torch.inference_mode():
        assert once.validation_loss() == pytest.approx(every_time.validation_loss(), abs=1e-3)
    logits = every_time.validation_logits()
    assert len(np.unique(logits)) > 1
    np.testing.assert_allclose(once.validation_logits(), logits, atol=2e-3)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_resumed_run_ends_with_the_same_bits(
    name: str, corpus: FeatureSet, sources: tuple[str, ...], tmp_path: Path
) -> None:
    whole = objective_of(name, corpus, sources)
    report = trainer_of(whole, tmp_path / "whole").fit(SilentProgress(), NullRunLogger())
    broken = objective_of(name, corpus, sources)
    with pytest.raises(InterruptedTrainingError):
        trainer_of(broken, tmp_path / "broken").fit(SilentProgress(), StopsAfter(2))
    resumed = objective_of(name, corpus, sources)
    after = trainer_of(resumed, tmp_path / "broken").fit(SilentProgress(), NullRunLogger())
    assert (report.resumed_from, after.resumed_from) == (0, 2)
    assert after.train_losses == report.train_losses
    assert after.validation_losses == report.validation_losses
    for key, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[key]), key


@pytest.mark.parametrize("name", ["teacher", "fine_attention", "fine_binary", "selector"])
def test_the_training_loss_falls(
    name: str, corpus: FeatureSet, sources: tuple[str, ...], tmp_path: Path
) -> None:
    optimisation = OPTIMISATION.model_copy(update={"epochs": 8, "learning_rate": 3e-3})
    objective = objective_of(name, corpus, sources)
    report = trainer_of(objective, tmp_path / "c", optimisation).fit(SilentProgress(), NullRunLogger())
    assert min(report.train_losses[-3:]) < 0.95 * report.train_losses[0]


def test_the_coarse_student_learns_the_pairs_that_it_sees(corpus: FeatureSet, tmp_path: Path) -> None:
    # Its loss is up to a line through a handful of pairs, another one each step: all of them tell.
    optimisation = OPTIMISATION.model_copy(update={"epochs": 12, "learning_rate": 1e-3})
    torch.manual_seed(3)
    objective = student_objective(corpus, "coarse", judged=slice(60))
    report = trainer_of(objective, tmp_path / "c", optimisation).fit(SilentProgress(), NullRunLogger())
    assert min(report.validation_losses[-3:]) < 0.9 * report.validation_losses[0]


def test_a_checkpoint_of_other_data_is_not_resumed(
    corpus: FeatureSet, sources: tuple[str, ...], tmp_path: Path
) -> None:
    for digest, start in (("a", 0), ("a", 3), ("b", 0)):
        objective = objective_of("coarse", corpus, sources)
        report = trainer_of(objective, tmp_path / "c", digest=digest).fit(SilentProgress(), NullRunLogger())
        assert report.resumed_from == start


def test_a_broken_checkpoint_is_named(corpus: FeatureSet, sources: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"not a checkpoint")
    with pytest.raises(CorruptArtefactError, match="delete it to start over"):
        trainer_of(objective_of("coarse", corpus, sources), tmp_path / "c").fit(
            SilentProgress(), NullRunLogger()
        )


def test_training_stops_when_validation_no_longer_improves(
    corpus: FeatureSet, sources: tuple[str, ...], tmp_path: Path
) -> None:
    objective = objective_of("coarse", corpus, sources)
    losses = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 0.5])
    objective.validation_loss = lambda: next(losses)
    optimisation = OPTIMISATION.model_copy(update={"epochs": 7, "patience": 2})
    report = trainer_of(objective, tmp_path / "c", optimisation).fit(SilentProgress(), NullRunLogger())
    assert (report.best_epoch, len(report.validation_losses)) == (1, 4)


def test_coarse_vectors_are_unit_and_ignore_the_batch(corpus: FeatureSet, sources: tuple[str, ...]) -> None:
    network = objective_of("coarse", corpus, sources).network.eval()
    together = coarse_vectors(network, corpus, sources)
    alone = coarse_vectors(network, corpus, sources, batch_videos=1)
    for video_id in sources:
        assert np.linalg.norm(together[video_id]) == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(together[video_id], alone[video_id], atol=2e-5)
