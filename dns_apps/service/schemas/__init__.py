"""What the query service is asked and what it answers, as pydantic models (no torch, no FastAPI).

Times are seconds on the video's own clock, of an excerpt too; scores are calibrated to [0, 1], higher is
closer, unless they are called raw. Requests refuse unknown fields; a client ignores those of a newer service.
"""

from dns_apps.service.schemas.archive import (
    AddRequest,
    DuplicateGroups,
    IndexState,
    IndexVersion,
    Job,
    Label,
    LabelRequest,
    QuarantineRow,
    Readiness,
    Video,
    VideoRow,
)
from dns_apps.service.schemas.comparisons import (
    CompareRequest,
    Comparison,
    Side,
)
from dns_apps.service.schemas.fields import (
    BUDGET_FORM,
    MAX_MATRIX_SIDE,
    MAX_TOP_K,
    Answered,
    Asked,
    FineName,
    Page,
    Problem,
    Seconds,
    State,
    Verdict,
    VideoId,
)
from dns_apps.service.schemas.queries import (
    MatchRow,
    Query,
    QueryAnswer,
    QueryOptions,
    QuerySummary,
    Segment,
    StoredExcerpt,
    StoredQuery,
    TimeRange,
    UploadForm,
)

__all__ = [
    "BUDGET_FORM",
    "MAX_MATRIX_SIDE",
    "MAX_TOP_K",
    "AddRequest",
    "Answered",
    "Asked",
    "CompareRequest",
    "Comparison",
    "DuplicateGroups",
    "FineName",
    "IndexState",
    "IndexVersion",
    "Job",
    "Label",
    "LabelRequest",
    "MatchRow",
    "Page",
    "Problem",
    "QuarantineRow",
    "Query",
    "QueryAnswer",
    "QueryOptions",
    "QuerySummary",
    "Readiness",
    "Seconds",
    "Segment",
    "Side",
    "State",
    "StoredExcerpt",
    "StoredQuery",
    "TimeRange",
    "UploadForm",
    "Verdict",
    "Video",
    "VideoId",
    "VideoRow",
]
