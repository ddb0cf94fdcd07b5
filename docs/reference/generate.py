"""Reference pages that MkDocs builds from the code: commands, HTTP, ``params.yaml`` and settings."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pydantic import BaseModel
from typer.cli import get_docs_for_click
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[2]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those that are written by hand."""
    pages = {"commands": commands, "http": http, "params": params, "settings": settings}
    for name, page in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=page()))
    files.append(File.generated(config, "decisions/index.md", content=decisions()))
    return files


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - MkDocs passes them
    """Remove the one script that the theme would fetch from the network."""
    return output.replace('<script src="https://unpkg.com/iframe-worker/shim"></script>', "")


def decisions() -> str:
    """A list of the decision records."""
    rows = ["# Decisions", "", "Each record says what was decided, which options there were, and why.", ""]
    for path in sorted((ROOT / "docs" / "decisions").glob("0*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        rows.append(f"* [{title}]({path.name})")
    return "\n".join(rows) + "\n"


def commands() -> str:
    """Every command with its arguments and options, from typer."""
    import typer

    from dns_apps.cli.main import app

    command = get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="dns", title="Commands")
    return re.sub(r"<(?=[a-z ]*>)", r"\\<", text)


def http() -> str:
    """Every endpoint of the query service, from its OpenAPI description."""
    from dns_apps.service.app import create_app
    from dns_ops.service_settings import ServiceSettings

    with TemporaryDirectory() as folder:
        api = create_app(Path(folder), ServiceSettings()).openapi()
    lines = ["# HTTP", "", "The running service describes itself at `/openapi.json`.", ""]
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            lines += [f"## `{method.upper()} {path}`", "", operation.get("summary", ""), ""]
            lines += [operation.get("description", ""), ""]
            lines += _parameters(operation)
            lines += _bodies(operation)
            answers = (
                f"{code} {_line(answer['description'])}" for code, answer in operation["responses"].items()
            )
            lines += ["Answers: " + "; ".join(answers), ""]
    lines += ["## Schemas", ""]
    for name, schema in sorted(api["components"]["schemas"].items()):
        lines += [f"### {name}", "", _line(schema.get("description", "")), "", *_fields(schema), ""]
    return "\n".join(lines)


def params() -> str:
    """Every key of ``params.yaml`` with its value there and what it means."""
    from dns_core.params import stage_module

    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    lines = [
        "# params.yaml",
        "",
        "One section a stage. What changes a result is set here and nowhere else.",
        "",
    ]
    for stage, section in values.items():
        module = stage_module(stage)
        lines += [f"## {stage}", "", _first(module.run), "", "| key | value | meaning |", "|---|---|---|"]
        lines += [
            f"| `{key}` | `{json.dumps(value)}` | {what} |"
            for key, value, what in _keys(module.Config, section)
        ]
        lines += [""]
    return "\n".join(lines)


def settings() -> str:
    """Every variable of the environment, from the settings."""
    from dns_ops.service_settings import ServiceSettings
    from dns_ops.settings import PREFIX, Settings

    lines = [
        "# Settings",
        "",
        "Where things run is set by environment variables or a file `.env` in the workspace; a variable "
        "takes precedence. `dns check` shows the current values.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for model, prefix in ((Settings, PREFIX), (ServiceSettings, f"{PREFIX}SERVE_")):
        meanings = _attributes(model)
        for name, field in model.model_fields.items():
            if name == "serve":
                continue
            default = getattr(field.default, "get_secret_value", lambda value=field.default: value)()
            lines.append(f"| `{prefix}{name.upper()}` | `{default!r}` | {meanings.get(name, '')} |")
    return "\n".join(lines) + "\n"


def _keys(
    model: type[BaseModel], values: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, str]]:
    """Dotted key, value and meaning of each setting, those of nested settings too."""
    meanings = _attributes(model)
    for name, value in values.items():
        field = model.model_fields.get(name)
        inner = field.annotation if field else None
        if isinstance(value, dict) and value and isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _keys(inner, value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value, meanings.get(name, "")


def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """What the section ``Attributes`` of a class says of each name."""
    text = inspect.getdoc(model) or ""
    _, _, section = text.partition("Attributes:\n")
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE)
    return {name: _line(meaning.replace("``", "`")) for name, meaning in found}


def _parameters(operation: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| `{row['name']}` | {row['in']} | {_line(row.get('description', ''))} |"
        for row in operation.get("parameters", ())
    ]
    return ["| parameter | in | meaning |", "|---|---|---|", *rows, ""] if rows else []


def _bodies(operation: Mapping[str, Any]) -> list[str]:
    kinds = [f"`{kind}`" for kind in operation.get("requestBody", {}).get("content", ())]
    return [f"Body: {', '.join(kinds)}", ""] if kinds else []


def _fields(schema: Mapping[str, Any]) -> list[str]:
    rows = [f"| `{name}` | {_type(field)} |" for name, field in schema.get("properties", {}).items()]
    return ["| field | type |", "|---|---|", *rows] if rows else []


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return f"{field['$ref'].rpartition('/')[2]}"
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"])
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("type", "any"))


def _first(function: Any) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
