"""What the query service is asked and what it answers, as pydantic models (no torch, no FastAPI).

Times are seconds on the video's own clock, of an excerpt too; scores are calibrated to [0, 1], higher is
closer, unless they are called raw. Requests refuse unknown fields; a client ignores those of a newer service.
"""

from dns_apps.service.schemas.archive import (
    AddRequest,
    AlikeGroups,
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
from dns_apps.service.schemas.parts import (
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
    Part,
    Query,
    QueryAnswer,
    QueryOptions,
    QuerySummary,
    Segment,
    StoredQuery,
    Stretch,
    UploadForm,
)

__all__ = [
    "BUDGET_FORM",
    "MAX_MATRIX_SIDE",
    "MAX_TOP_K",
    "AddRequest",
    "AlikeGroups",
    "Answered",
    "Asked",
    "CompareRequest",
    "Comparison",
    "FineName",
    "IndexState",
    "IndexVersion",
    "Job",
    "Label",
    "LabelRequest",
    "MatchRow",
    "Page",
    "Part",
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
    "StoredQuery",
    "Stretch",
    "UploadForm",
    "Verdict",
    "Video",
    "VideoId",
    "VideoRow",
]
