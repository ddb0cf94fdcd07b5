"""What two videos of the demo corpus have to do with each other, told from how they were made.

In the terms of FIVR (Kordopatis-Zilos et al., 2019), the strongest that holds:
ND  one is an edited copy of the other, or both are of a third;
DS  they show the same stretch of the same shot;
CS  another camera looks at the same scene;
IS  they show other scenes of the same source.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dns_core.corpus.compose import Run
from dns_core.corpus.shots import Shot

TASKS = {"DSVR": ["ND", "DS"], "CSVR": ["ND", "DS", "CS"], "ISVR": ["ND", "DS", "CS", "IS"]}
SHORTEST_S = 1.0
"""Shorter stretches do not make a duplicate scene: a sample each second could miss them."""

Stretch = dict[str, float]


def ground_truth(
    queries: Mapping[str, tuple[str, Sequence[Run]]],
    database: Mapping[str, tuple[str, Sequence[Run]]],
    shots: Mapping[str, Shot],
) -> dict[str, Any]:
    """The annotation file's content (format 1).

    Args:
        queries: by id, the group of near-duplicates that a query belongs to ("" for none) and its runs.
        database: likewise.
        shots: by id.
    """
    answers: dict[str, Any] = {}
    for query, (group, runs) in queries.items():
        labels: dict[str, str] = {}
        segments: dict[str, list[Stretch]] = {}
        for video, (other_group, other_runs) in database.items():
            stretches = matched(runs, other_runs)
            label = relation(group != "" and group == other_group, bool(stretches), (runs, other_runs), shots)
            if label is not None:
                labels[video] = label
            if label in ("ND", "DS"):
                segments[video] = stretches
        answers[query] = {"labels": labels, "segments": segments}
    return {"format": 1, "database": sorted(database), "tasks": TASKS, "queries": answers}


def relation(
    same_group: bool,
    shared_stretch: bool,
    runs: tuple[Sequence[Run], Sequence[Run]],
    shots: Mapping[str, Shot],
) -> str | None:
    """``ND``, ``DS``, ``CS`` or ``IS``, the strongest that holds; None if the videos share no source."""
    ours, theirs = ({shots[run.shot_id] for run in each} for each in runs)
    if same_group:
        return "ND"
    if shared_stretch:
        return "DS"
    if {(s.source, s.scene) for s in ours} & {(s.source, s.scene) for s in theirs}:
        return "CS"
    return "IS" if {s.source for s in ours} & {s.source for s in theirs} else None


def matched(query: Sequence[Run], target: Sequence[Run]) -> list[Stretch]:
    """Segments of at least a second of a shot that both videos show, by time in the query."""
    stretches = []
    for ours in query:
        for theirs in target:
            start_s = max(ours.shot_start_s, theirs.shot_start_s)
            end_s = min(ours.shot_end_s, theirs.shot_end_s)
            if ours.shot_id == theirs.shot_id and end_s - start_s >= SHORTEST_S:
                stretches.append(
                    {
                        "query_start_s": _shown_at(ours, start_s),
                        "query_end_s": _shown_at(ours, end_s),
                        "target_start_s": _shown_at(theirs, start_s),
                        "target_end_s": _shown_at(theirs, end_s),
                    }
                )
    return sorted(stretches, key=lambda s: (s["query_start_s"], s["target_start_s"]))


def _shown_at(run: Run, shot_s: float) -> float:
    share = (shot_s - run.shot_start_s) / (run.shot_end_s - run.shot_start_s)
    return round(run.start_s + share * (run.end_s - run.start_s), 3)
