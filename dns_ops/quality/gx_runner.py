"""Great Expectations at work: each table of facts meets the suite of its kind, in memory."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from dns_core.records import FactTable
from dns_ops.quality.suites import SUITES


def validated_suites(tables: Sequence[FactTable]) -> list[dict[str, Any]]:
    """For each table what the package's docstring says of a suite; nothing is written or reported home."""
    # Without a docs site: that would be a folder that is never removed.
    in_memory = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    context = gx.get_context(project_config=DataContextConfig(store_backend_defaults=in_memory))
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("facts")
    return [_validated(context, source, table) for table in tables]


def _validated(context: Any, source: Any, table: FactTable) -> dict[str, Any]:
    name = f"{table.suite}/{table.part}"
    frame = pd.DataFrame(dict(table.columns))
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=SUITES[table.suite](table.limits)))
    definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
    found = context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame},
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": list(table.key)},
    )
    # The results come grouped by column; people read them in the order of the suite.
    order = {expectation.meta["meaning"]: place for place, expectation in enumerate(suite.expectations)}
    rows = sorted((_row(result) for result in found.results), key=lambda row: order[row["meaning"]])
    return {
        "suite": table.suite,
        "part": table.part,
        "success": bool(found.success),
        "rows": len(frame),
        "expectations": rows,
    }


def _row(found: ExpectationValidationResult) -> dict[str, Any]:
    """One expectation as the report has it."""
    config: Any = found.expectation_config
    problem = found.exception_info.get("exception_message")
    if problem:
        raise RuntimeError(f"{config.type}: {problem}")
    kwargs: Mapping[str, Any] = config.kwargs
    failing = found.result.get("unexpected_index_list") or []
    return {
        "expectation": config.type,
        "column": kwargs.get("column", ""),
        "meaning": config.meta["meaning"],
        "success": bool(found.success),
        "failing": int(found.result.get("unexpected_count", 0)),
        "observed": str(found.result.get("observed_value") or ""),
        "rows": [{key: _plain(value) for key, value in row.items()} for row in failing],
    }


def _plain(value: Any) -> Any:
    """A table value as JSON: a number, or its text."""
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None if math.isnan(plain) else str(plain)
    return plain if isinstance(plain, bool | int | float | str) or plain is None else str(plain)
