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
from dns_core.stages.training_features import training_features
from dns_core.training.mining import read_table, write_table
from dns_core.training.scoring import fine_similarities


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        block_frames: target frames compared at once; bounds the memory, not the result.
    """

    block_frames: int = Field(ge=64)


def run(config: Config, context: StageContext) -> None:
    """Ask the teacher about every mined pair."""
    workspace = context.workspace
    teacher = cast("Teacher", load_network(workspace.model("teacher"), expect="teacher").network)
    columns = read_table(workspace.table("mined"))
    pairs = cast("list[tuple[str, str]]", list(zip(columns["anchor"], columns["target"], strict=True)))
    with training_features(workspace) as features:
        similarities = fine_similarities(
            teacher.to(context.device),
            features,
            pairs,
            progress=context.progress,
            block_frames=config.block_frames,
        )
    write_table(workspace.table("labelled"), {**columns, "similarity": similarities})
    context.progress.say(f"{len(pairs)} pairs labelled, mean similarity {similarities.mean():.3f}")
