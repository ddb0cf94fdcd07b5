"""``dns serve``: the query service of this workspace."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from dns_apps.cli.output import print_line
from dns_core.errors import MissingArtefactError


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 if not set.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; 8400 if not set.")] = None,
    index: Annotated[Path | None, typer.Option(metavar="INDEX", help="Folder of the index.")] = None,
    models: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the models.")] = None,
    videos: Annotated[Path | None, typer.Option(metavar="DIR", help="The index's videos.")] = None,
) -> None:
    """Answer queries over HTTP until Ctrl-C; each option outranks its setting DNS_SERVE_..."""
    from dns_ops.settings import load_settings

    if find_spec("fastapi") is None:
        raise MissingArtefactError("serving needs FastAPI: pip install 'distill-and-select[service]'")
    from dns_apps.service.server import serve as serve_until_stopped

    given = {"host": host, "port": port, "index": index, "models": models, "videos": videos}
    named = {name: str(v) if isinstance(v, Path) else v for name, v in given.items() if v is not None}
    settings = load_settings(Path.cwd())
    settings = settings.model_copy(update={"serve": settings.serve.model_copy(update=named)})
    print_line(f"query service: http://{settings.serve.host}:{settings.serve.port}")
    serve_until_stopped(Path.cwd(), settings)
