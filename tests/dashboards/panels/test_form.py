"""A form from the types of a flow's parameters, as Prefect itself describes them."""

from typing import Any, Literal

import pytest
from prefect.utilities.callables import parameter_schema

from dashboards.panels.form import form_fields, form_values
from dns_core.errors import InputError
from flows.ingest import ingest


def of(function: Any, **given: Any) -> Any:
    return form_fields(parameter_schema(function).model_dump(), given)


def many(
    n: int, *, share: float = 0.5, deep: bool = False, names: list[str] | None = None,
    kind: Literal["a", "b"] = "b", extra: dict[str, int] | None = None,
) -> None:  # fmt: skip
    """Do much.

    Args:
        n: how many.
        share: of all.
        deep: or not.
        names: of some.
        kind: of it.
        extra: besides.
    """


def test_each_type_has_its_widget_and_its_help() -> None:
    fields = {row.name: row for row in of(many)}
    assert {name: row.kind for name, row in fields.items()} == {
        "n": "integer", "share": "number", "deep": "yes_no", "names": "lines", "kind": "choice",
        "extra": "json",
    }  # fmt: skip
    assert fields["n"].required
    assert fields["n"].help == "how many."
    assert fields["kind"].choices == ("a", "b")
    assert fields["names"].nullable


def test_only_what_was_changed_is_sent() -> None:
    filled = {"n": 3, "share": 0.5, "deep": True, "names": "a\n\n b ", "kind": "b", "extra": '{"x": 1}'}
    assert form_values(of(many), filled) == {"n": 3, "deep": True, "names": ["a", "b"], "extra": {"x": 1}}
    assert form_values(of(many), {**filled, "names": "", "extra": "", "deep": False}) == {"n": 3}


def test_what_is_required_and_what_is_no_json_is_named() -> None:
    with pytest.raises(InputError, match="n: expected a value"):
        form_values(of(many), {"kind": "b"})
    with pytest.raises(InputError, match="extra: expected JSON"):
        form_values(of(many), {"n": 1, "extra": "{"})


def test_a_deployments_own_values_are_the_defaults() -> None:
    (source, collection, push) = of(ingest.fn, source="/videos")
    assert (source.default, source.required) == ("/videos", False)
    assert (push.kind, push.default) == ("yes_no", False)
    assert (collection.kind, collection.default) == ("choice", "train")
