"""The fields of a form from the JSON Schema of a flow's parameters, and the values that were filled in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dns_core.errors import InputError

Kind = Literal["text", "integer", "number", "yes_no", "choice", "lines", "json"]

_BY_TYPE: Mapping[str, Kind] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "yes_no",
    "object": "json",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter as a form asks for it.

    Attributes:
        name: of the parameter.
        kind: of widget that it needs; ``lines`` is a list of text, ``json`` is everything without a widget.
        help: what the flow's docstring says of it.
        default: that it has if nothing is given; None if it is required, or if None is what it is.
        required: whether it must be given.
        choices: that a choice is from.
        least: smallest number, if there is one.
        most: largest number, if there is one.
        nullable: whether leaving it empty means None.
    """

    name: str
    kind: Kind
    help: str = ""
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    least: float | None = None
    most: float | None = None
    nullable: bool = field(default=False)


def form_fields(schema: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> tuple[Field, ...]:
    """A field for each parameter, in the order of the flow's signature.

    Args:
        schema: as Prefect makes it from a flow.
        given: values that stand instead of the defaults: of the deployment, or of a former run.
    """
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    ordered = sorted(properties.items(), key=lambda row: row[1].get("position", 0))
    definitions = schema.get("definitions", schema.get("$defs", {}))
    required = set(schema.get("required", ()))
    return tuple(
        _field(name, row, definitions, required=name in required, given=(given or {}).get(name))
        for name, row in ordered
    )


def form_values(fields: tuple[Field, ...], filled: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a run; what is left as it was by default is not among them.

    Raises:
        InputError: something that is required is empty, or is not what its kind asks for.
    """
    values: dict[str, Any] = {}
    for row in fields:
        value = _value(row, filled.get(row.name))
        if value in (None, "", []) and row.required:
            raise InputError(f"{row.name}: expected a value, found none")
        if value != row.default and not (value in ("", []) and row.default is None):
            values[row.name] = value
    return values


def _value(row: Field, filled: Any) -> Any:
    if row.kind == "lines":
        return [line.strip() for line in str(filled or "").splitlines() if line.strip()]
    if row.kind != "json":
        return filled
    text = str(filled or "").strip()
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{row.name}: expected JSON, found {text[:60]!r}: {error}") from error


def _field(
    name: str, row: Mapping[str, Any], definitions: Mapping[str, Any], *, required: bool, given: Any
) -> Field:
    shape, nullable = _shape(row, definitions)
    choices = tuple(shape.get("enum", ()))
    is_lines = shape.get("type") == "array" and shape.get("items", {}).get("type") == "string"
    kind: Kind = (
        "choice" if choices else "lines" if is_lines else _BY_TYPE.get(str(shape.get("type")), "json")
    )
    return Field(
        name=name,
        kind=kind,
        help=str(row.get("description", "")),
        default=row.get("default") if given is None else given,
        required=required and given is None,
        choices=choices,
        least=shape.get("minimum"),
        most=shape.get("maximum"),
        nullable=nullable,
    )


def _shape(row: Mapping[str, Any], definitions: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """The one type that a parameter has besides None, and whether it may be None."""
    options = [option for option in row.get("anyOf", row.get("allOf", ())) if option.get("type") != "null"]
    nullable = any(option.get("type") == "null" for option in row.get("anyOf", ()))
    if len(options) > 1:
        return {}, nullable
    shape: Mapping[str, Any] = {**row, **options[0]} if options else row
    reference = str(shape.get("$ref", "")).rpartition("/")[2]
    return (definitions.get(reference, {}) if reference else shape), nullable
