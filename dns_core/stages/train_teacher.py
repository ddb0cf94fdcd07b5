"""Stage ``train_teacher``.

Reads: artifacts/split.json, artifacts/whitened/train.hdf5, artifacts/whitened/views.hdf5.
Writes: artifacts/models/teacher.safetensors, artifacts/training/teacher.json (losses by epoch).
Params: train_teacher.
Repeats exactly: yes on one machine and number of threads, also when interrupted and resumed.
"""

from itertools import cycle
from typing import cast

import torch

from dns_core.models.registry import build_network
from dns_core.models.teacher import Teacher
from dns_core.stages.shared.fitting import TrainedNetwork, fit_and_save
from dns_core.stages.shared.pair_scores import pair_scores
from dns_core.stages.shared.training_features import training_features
from dns_core.stages.split_videos import VideoSplit, read_split
from dns_core.store.fingerprints import fingerprint_file
from dns_core.training.batches import FeatureSet, view_id
from dns_core.training.config import OptimisationConfig
from dns_core.training.initialisation import sampled_regions, start_as_chamfer
from dns_core.training.teacher import SelfSupervisionConfig, TeacherObjective, spread_similarities
from dns_core.workspace import StageConfig, StageContext


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        network: how the teacher differs from its architecture's defaults.
        recipe: of self-supervision.
        optimisation: of the weights.
        seed: of weights and draws.
    """

    network: dict[str, bool | int | str]
    recipe: SelfSupervisionConfig
    optimisation: OptimisationConfig
    seed: int


def run(config: Config, context: StageContext) -> None:
    """Teach a ViSiL head to find edited copies, without labels."""
    split = read_split(context.workspace)
    with training_features(context.workspace) as features:
        torch.manual_seed(config.seed)
        network_config = {"dims": features.dims, **config.network}
        network = cast("Teacher", build_network("teacher", network_config))
        start_as_chamfer(network, sampled_regions(features, split.train, 128, config.seed))
        objective = TeacherObjective(
            network.to(context.device),
            features,
            train=split.train,
            validation=split.validation,
            alike=split.alike,
            n_views=features.n_views(split.train[0]),
            config=config.recipe,
            seed=config.seed,
        )
        parents = {"features": features.fingerprint, "split": fingerprint_file(context.workspace.split)}
        trained = TrainedNetwork("teacher", network, "teacher", network_config, parents, config.model_dump())
        fit_and_save(
            trained,
            objective,
            config.optimisation,
            context,
            finishing=lambda: _spread(network, features, split, context),
        )


def _spread(
    network: Teacher, features: FeatureSet, split: VideoSplit, context: StageContext
) -> dict[str, object]:
    """Set the range of similarities on held-out videos."""
    copies, unrelated = [], []
    # Videos of the other side are of other clusters by construction.
    for video_id, other in zip(split.validation, cycle(split.train), strict=False):
        for number in range(features.n_views(video_id)):
            copies.append((video_id, view_id(video_id, number)))
            unrelated.append((video_id, view_id(other, number)))
    scores = [
        pair_scores(network, features, pairs, videos_in_memory=1024, progress=context.progress)
        for pairs in (copies, unrelated)
    ]
    spread_similarities(network, *scores)
    return {}
