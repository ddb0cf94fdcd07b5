"""What the stage ``evaluate`` measures, as ``artifacts/report.json`` holds it."""

from typing import Any, NotRequired, TypedDict


class ReliabilityRow(TypedDict):
    """As `dns_core.evaluation.reliability.ReliabilityBin`."""

    predicted: float
    observed: float
    n_pairs: int


class MethodRow(TypedDict):
    """One way to search.

    Attributes:
        method: as in `dns_apps.text.METHOD_NAMES`.
        budget: share that is re-ranked, in [0, 1]; None of a method without one.
        map: mean average precision by task.
        micro_ap: of all pairs together, by task.
        recall_at_1: by task.
        seconds_per_query: median.
        seconds_range: least and most of the medians; older reports have none.
        bytes_per_video: of what a search reads.
        coverage: share of the queries and videos that were compared.
        reliability: of an engine's probabilities; of some methods.
    """

    method: str
    budget: float | None
    map: dict[str, float]
    micro_ap: dict[str, float]
    recall_at_1: dict[str, float]
    seconds_per_query: float
    seconds_range: NotRequired[list[float]]
    bytes_per_video: float
    coverage: float
    reliability: NotRequired[list[ReliabilityRow]]


class PolicyCurve(TypedDict):
    """Mean average precision of a policy at each budget, and the area under it."""

    budgets: list[float]
    map: list[float]
    area: float


class EvaluationReport(TypedDict):
    """The whole report.

    Attributes:
        methods: the teacher first.
        selection: curves by fine network and policy.
        segment_f1: by fine network.
        costs: of queries and videos on this machine, taken apart; older reports have none.
    """

    queries: int
    database: int
    coverage: float
    methods: list[MethodRow]
    selection: dict[str, dict[str, PolicyCurve]]
    segment_f1: dict[str, float]
    costs: NotRequired[dict[str, Any]]
