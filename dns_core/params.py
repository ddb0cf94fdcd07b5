"""The whole of ``params.yaml``, one field a stage; there is no second default anywhere."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from dns_core.errors import MissingArtefactError, ParamsError
from dns_core.stages import (
    STAGES,
    build_index,
    configure_index,
    evaluate,
    extract_features,
    fit_whitening,
    label_selector,
    mine_pairs,
    probe_videos,
    score_pairs,
    split_videos,
    train_selector,
    train_student,
    train_teacher,
    validate_data,
    validate_pairs,
)
from dns_core.workspace import StageContext


class Params(BaseModel):
    """The validated file: one frozen field a stage, in the order of the pipeline; other names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probe_videos: probe_videos.Config
    extract_features: extract_features.Config
    fit_whitening: fit_whitening.Config
    split_videos: split_videos.Config
    validate_data: validate_data.Config
    train_teacher: train_teacher.Config
    mine_pairs: mine_pairs.Config
    score_pairs: score_pairs.Config
    validate_pairs: validate_pairs.Config
    train_student: train_student.Config
    label_selector: label_selector.Config
    train_selector: train_selector.Config
    configure_index: configure_index.Config
    build_index: build_index.Config
    evaluate: evaluate.Config


def load_params(path: Path, overrides: Sequence[str] = ()) -> Params:
    """The validated content of a params file.

    Args:
        path: ``params.yaml``.
        overrides: ``stage.key=value`` with a YAML value, applied before validation.

    Raises:
        MissingArtefactError: if there is no such file.
        ParamsError: if it is not YAML, a name is unknown or missing, or a value is out of range.
    """
    values = apply_overrides(_read(path), overrides)
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise ParamsError(f"{path}: {_sentence(error)}") from error


def apply_overrides(values: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """``values`` with each ``dotted.key=value`` put in its place; the key must exist already.

    Raises:
        ParamsError: if an override is not ``key=value`` or names no existing key.
    """
    changed: dict[str, Any] = yaml.safe_load(yaml.safe_dump(dict(values)))
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ParamsError(f"expected key=value, found {override!r}")
        *parents, last = key.split(".")
        place: Any = changed
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            raise ParamsError(f"unknown parameter {key!r}")
        place[last] = yaml.safe_load(text)
    return changed


def run_stage(name: str, params: Params, context: StageContext) -> None:
    """Run one stage by name with its own part of the params.

    Raises:
        ParamsError: if there is no such stage.
    """
    stage_module(name).run(getattr(params, name), context)


def stage_module(name: str) -> Any:
    """The module of a stage, imported when asked.

    Raises:
        ParamsError: if there is no such stage.
    """
    if name not in STAGES:
        raise ParamsError(f"unknown stage {name!r}; known: {', '.join(STAGES)}")
    return import_module(f"dns_core.stages.{name}")


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise MissingArtefactError(f"{path}: expected a params file, found nothing")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: not YAML: {error}") from error
    if not isinstance(values, dict):
        raise ParamsError(f"{path}: expected a mapping of stages, found {type(values).__name__}")
    return values


def _sentence(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in row['loc'])}: {row['msg'].lower()}"
        + ("" if row["type"] in ("extra_forbidden", "missing") else f", found {row['input']!r}")
        for row in error.errors()
    )
