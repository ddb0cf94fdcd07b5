"""Stage ``score_pairs``: of the teacher, or of the attention student as a second teacher.

Reads: artifacts/models/NETWORK.safetensors, artifacts/pairs/mined.parquet, whitened train and views.
Writes: artifacts/pairs/labelled_NETWORK.parquet: the mined pairs with its similarity in [-1, 1].
Params: score_pairs.
Repeats exactly: yes.
"""

from typing import cast

from pydantic import Field

from dns_core.models.checkpoints import load_network
from dns_core.models.pair_network import PairNetwork
from dns_core.stages.shared.pair_scores import pair_scores
from dns_core.stages.shared.training_features import training_features
from dns_core.training.mining import read_table, write_table
from dns_core.workspace import StageConfig, StageContext


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        videos_in_memory: videos kept for the next pair; bounds the memory, not the result.
    """

    videos_in_memory: int = Field(ge=1)


def run(config: Config, context: StageContext) -> None:
    """Ask the network that ``context.item`` names about every mined pair."""
    workspace, name = context.workspace, context.item
    network = cast("PairNetwork", load_network(workspace.model(name), expect=name).network)
    columns = read_table(workspace.table("mined"))
    pairs = cast("list[tuple[str, str]]", list(zip(columns["anchor"], columns["target"], strict=True)))
    with training_features(workspace) as features:
        similarities = pair_scores(
            network.to(context.device),
            features,
            pairs,
            videos_in_memory=config.videos_in_memory,
            progress=context.progress,
        )
    write_table(workspace.table(f"labelled_{name}"), {**columns, "similarity": similarities})
    context.progress.say(f"{name}: {len(pairs)} pairs labelled, mean similarity {similarities.mean():.3f}")
