"""``/v1/labels``: what people say of answers."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from dns_apps.service.access import Context, require
from dns_apps.service.routes.openapi import Limit, Offset, problems
from dns_apps.service.schemas import Label, LabelRequest, Page
from dns_core.datasets.ground_truth import ground_truth_json
from dns_core.records import GroundTruth

router = APIRouter(prefix="/v1/labels", tags=["labels"], dependencies=[Depends(require("query"))])

_FORMS: dict[str, Any] = {
    "application/json": {"schema": {"type": "object"}},
    "text/csv": {"schema": {"type": "string"}},
}
# FIVR's terms: near-duplicate, and a distractor that somebody looked at.
_TERMS = {"copy": "ND", "not_a_copy": "DI"}


@router.put("", status_code=204, summary="Label an answer", responses=problems(404))
def put(request: LabelRequest, context: Context) -> None:
    """Keep whether a video is a copy of a query's; a verdict of null takes it back."""
    query = context.query_jobs.get(request.query_id)
    context.live_index.current().row(request.video_id)
    context.query_store.put_label(request, query.name)


@router.get("", summary="Labels", responses=problems())
def labels(
    context: Context,
    query_id: Annotated[str, Query(max_length=64)] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[Label]:
    """Labels, the newest first; of one query if it is named."""
    found, total = context.query_store.labels(query_id, limit, offset)
    return Page(items=tuple(found), total=total, limit=limit, offset=offset)


@router.get(
    "/export",
    response_class=Response,
    summary="All labels as a file",
    responses={200: {"description": "The file.", "content": _FORMS}, **problems(503)},
)
def export(context: Context, form: Literal["json", "csv"] = "json") -> Response:
    """Ground truth that the project's evaluation reads, or a table."""
    found, _ = context.query_store.labels()
    if form == "csv":
        return _attachment(_table(found), "text/csv; charset=utf-8", "labels.csv")
    truth = _ground_truth(found, context.live_index.current().index.ids)
    text = json.dumps(ground_truth_json(Path("labels.json"), truth), indent=2)
    return _attachment(text, "application/json", "labels.json")


def _ground_truth(labels: Sequence[Label], ids: Sequence[str]) -> GroundTruth:
    """Queries are called what their files are; those of one name are told apart by their ids."""
    names = {label.query_id: label.query_name for label in labels}
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    by_query: dict[str, dict[str, str]] = {}
    for label in labels:
        if label.verdict not in _TERMS:
            continue  # an unsure label is no ground truth
        name = names[label.query_id]
        key = f"{label.query_id}/{name}" if name in shared else name
        by_query.setdefault(key, {})[label.video_id] = _TERMS[label.verdict]
    database = {*ids, *(label.video_id for label in labels)}
    return GroundTruth(
        queries=tuple(sorted(by_query)),
        database=tuple(sorted(database)),
        labels=by_query,
        tasks={"copies": (_TERMS["copy"],)},
    )


def _table(labels: Sequence[Label]) -> str:
    columns = list(Label.model_fields)
    written = io.StringIO(newline="")
    table = csv.DictWriter(written, columns)
    table.writeheader()
    table.writerows(label.model_dump(mode="json") for label in labels)
    return written.getvalue()


def _attachment(text: str, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=kind, headers=headers)
