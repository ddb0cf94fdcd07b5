"""Stage ``score_pairs``.

Reads: artifacts/models/teacher.safetensors, artifacts/pairs/mined.parquet, whitened train and views.
Writes: artifacts/pairs/labelled.parquet: the mined pairs with the teacher's similarity in [-1, 1].
Params: score_pairs.
Repeats exactly: yes.
"""

from typing import cast

from pydantic import Field

from dns_core.models.checkpoints import load_network
from dns_core.models.teacher import Teacher
from dns_core.stages.context import StageConfig, StageContext
from dns_core.stages.pair_scores import pair_scores
from dns_core.stages.training_features import training_features
from dns_core.training.mining import read_table, write_table


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        videos_in_memory: videos kept for the next pair; bounds the memory, not the result.
    """

    videos_in_memory: int = Field(ge=1)


def run(config: Config, context: StageContext) -> None:
    """Ask the teacher about every mined pair."""
    workspace = context.workspace
    teacher = cast("Teacher", load_network(workspace.model("teacher"), expect="teacher").network)
    columns = read_table(workspace.table("mined"))
    pairs = cast("list[tuple[str, str]]", list(zip(columns["anchor"], columns["target"], strict=True)))
    with training_features(workspace) as features:
        similarities = pair_scores(
            teacher.to(context.device),
            features,
            pairs,
            videos_in_memory=config.videos_in_memory,
            progress=context.progress,
        )
    write_table(workspace.table("labelled"), {**columns, "similarity": similarities})
    context.progress.say(f"{len(pairs)} pairs labelled, mean similarity {similarities.mean():.3f}")
