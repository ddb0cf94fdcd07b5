"""The service does what its OpenAPI says for any request."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = 30


@pytest.fixture(scope="module")
def description(service: Any) -> Any:
    return schemathesis.openapi.from_url(f"{service.url}/openapi.json")


@pytest.fixture(scope="module")
def operations(description: Any) -> list[Any]:
    return [found.ok() for found in description.get_all_operations()]


@pytest.mark.parametrize("number", range(OPERATIONS))
def test_every_answer_is_one_that_is_described(operations: list[Any], number: int) -> None:
    assert len(operations) == OPERATIONS

    @given(case=operations[number].as_strategy())
    @settings(
        max_examples=12,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=30)

    ask()


def test_what_the_description_promises_is_there(description: Any) -> None:
    raw = description.raw_schema
    post = raw["paths"]["/v1/queries"]["post"]
    assert set(post["requestBody"]["content"]) == {"application/json", "multipart/form-data"}
    assert {"200", "202", "413", "415", "422", "429", "503"} <= set(post["responses"])
    assert raw["components"]["schemas"]["StoredQuery"]["examples"]
    assert raw["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
