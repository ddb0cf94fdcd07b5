"""``/healthz``, ``/readyz`` and ``/metrics``: endpoints for monitoring."""

from fastapi import APIRouter, Depends, Response

from dns_apps.service.access import Context, require
from dns_apps.service.refusals import not_ready
from dns_apps.service.routes.openapi import media, problems
from dns_apps.service.schemas import Readiness

router = APIRouter(tags=["state"])


@router.get("/healthz", summary="Whether the process lives", responses=problems())
async def health() -> dict[str, str]:
    """It answers."""
    return {"status": "ok"}


@router.get("/readyz", summary="Whether queries can be answered", responses=problems(503))
def ready(context: Context) -> Readiness:
    """Every part answers a probe; if one does not, or no index is served, the problem says why.

    On a full disk queries are answered and nothing new is kept: the service is ready, and `detail` says so.
    """
    if context.live_index.opening:
        raise not_ready("the index is being opened")
    loaded = context.live_index.current()
    condition = context.probes.condition()
    if condition.broken:
        raise not_ready("; ".join(condition.broken))
    detail = loaded.damage or f"version {loaded.index.manifest.version} of the index is served"
    return Readiness(
        ready=True, detail="; ".join((detail, *condition.limits)), limited=bool(condition.limits)
    )


@router.get(
    "/metrics",
    response_class=Response,
    summary="Figures for Prometheus",
    dependencies=[Depends(require("query"))],
    responses=media("text/plain", "Prometheus' text format.") | problems(),
)
def metrics(context: Context) -> Response:
    """Counters of requests and the state of the service."""
    return Response(context.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
