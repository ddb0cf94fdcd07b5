"""Stage ``mine_pairs``.

Reads: artifacts/split.json, artifacts/whitened/train.hdf5, artifacts/whitened/views.hdf5.
Writes: artifacts/pairs/mined.parquet: anchor, target, pool (near or far), side (train or validation).
Params: mine_pairs.
Repeats exactly: yes, seeded.
"""

from dns_core.stages.shared.training_features import training_features
from dns_core.stages.split_videos import read_split
from dns_core.training.batches import source_id
from dns_core.training.mining import PoolConfig, mine_pairs, write_table
from dns_core.workspace import StageContext

Config = PoolConfig


def run(config: Config, context: StageContext) -> None:
    """Pair every video and every edited copy with near and far ones of its own side of the split."""
    split = read_split(context.workspace)
    columns: dict[str, list[object]] = {"anchor": [], "target": [], "pool": [], "side": []}
    with training_features(context.workspace) as features:
        sources = frozenset(split.cluster_of)
        for side, members in (("train", set(split.train)), ("validation", set(split.validation))):
            ids = [video_id for video_id in features.ids if source_id(video_id, sources) in members]
            for pair in mine_pairs(features, ids, config, context.progress):
                columns["anchor"].append(pair.anchor)
                columns["target"].append(pair.target)
                columns["pool"].append(pair.pool)
                columns["side"].append(side)
    write_table(context.workspace.table("mined"), columns)
    context.progress.say(f"{len(columns['anchor'])} pairs")
