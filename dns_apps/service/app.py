"""The query service as an ASGI application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import FastAPI

from dns_apps.service.bodies import Pace
from dns_apps.service.context import ServiceContext, make_context
from dns_apps.service.problems import say_problems
from dns_apps.service.request_guard import RequestGuard
from dns_apps.service.routes import index, labels, queries, state, videos
from dns_apps.service.schemas import StoredQuery
from dns_ops.browser_guard import Visitors
from dns_ops.holders.publishing import Holders
from dns_ops.service_settings import ServiceSettings

_SUMMARY = "Find every copy, excerpt and other footage of a clip in a video archive."


def create_app(
    root: Path,
    settings: ServiceSettings,
    device: str = "cpu",
    hosts: frozenset[str] = frozenset(),
    holders: Holders | None = None,
) -> FastAPI:
    """The service of a workspace; its processes start here, and its index is opened when it is run.

    Args:
        root: the workspace.
        settings: of the service.
        device: torch device of the networks.
        hosts: names besides this machine's own by which browsers reach it.
        holders: of the index, where other machines search it.
    """
    context = make_context(root, settings, device, holders)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            context.open()
            yield
        finally:  # also if it cannot start: its threads would keep the process from ending
            await anyio.to_thread.run_sync(context.close)

    # Pages that describe the interface load scripts from elsewhere; the description itself is enough.
    app = FastAPI(
        title="Distill-and-Select query service", summary=_SUMMARY, version=version("distill-and-select"),
        docs_url=None, redoc_url=None, lifespan=lifespan,
    )  # fmt: skip
    app.state.context = context
    say_problems(app)
    for router in (queries.router, videos.router, labels.router, index.router, state.router):
        app.include_router(router)
    _guard(app, context, Visitors(settings.local, hosts))
    _describe_stored_query(app)
    return app


def _guard(app: FastAPI, context: ServiceContext, visitors: Visitors) -> None:
    settings = context.settings
    pace = Pace(settings.min_bytes_per_s, settings.upload_timeout_s, settings.uploads_per_address)
    app.add_middleware(
        RequestGuard,
        metrics=context.metrics,
        visitors=visitors,
        max_upload_bytes=settings.max_upload_bytes,
        pace=pace,
    )


def _describe_stored_query(app: FastAPI) -> None:
    """Add the JSON form of a query, which is read by hand, to the OpenAPI."""
    generated = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            content = generated()
            form = "#/components/schemas/{model}"
            schema: Mapping[str, Any] = StoredQuery.model_json_schema(ref_template=form)
            definitions = dict(schema.get("$defs", {}))
            own = {name: value for name, value in schema.items() if name != "$defs"}
            content["components"]["schemas"] |= {**definitions, "StoredQuery": own}
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's own documentation has it
