"""Stage ``score_pairs``: of the teacher, or of the attention student as a second teacher.

Reads: artifacts/models/NETWORK.safetensors, artifacts/pairs/mined.parquet, whitened train and views.
Writes: artifacts/pairs/labelled_NETWORK.parquet: the mined pairs with its similarity in [-1, 1].
Params: score_pairs.
Repeats exactly: yes, on any fleet; an interrupted run resumes with the queries that are left.
"""

from typing import cast

from pydantic import Field

from dns_core.stages.shared.pair_tasks import answers, scores_of, scoring
from dns_core.training.mining import read_table, write_table
from dns_core.workspace import StageConfig, StageContext


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        videos_in_memory: videos that a worker keeps for the next pair; bounds the memory, not the result.
    """

    videos_in_memory: int = Field(ge=1)


def run(config: Config, context: StageContext) -> None:
    """Ask the network that ``context.item`` names about every mined pair."""
    workspace, name = context.workspace, context.item
    columns = read_table(workspace.table("mined"))
    pairs = cast("list[tuple[str, str]]", list(zip(columns["anchor"], columns["target"], strict=True)))
    journal = workspace.partial(f"score_pairs-{name}.jsonl")
    work = scoring(workspace, name, config.videos_in_memory)
    similarities = scores_of(answers(context, work, pairs, journal), pairs)
    write_table(workspace.table(f"labelled_{name}"), {**columns, "similarity": similarities})
    journal.unlink()
    context.progress.say(f"{name}: {len(pairs)} pairs labelled, mean similarity {similarities.mean():.3f}")
