"""Every DataValidator accepts sound tables without an error."""

from pathlib import Path

import pytest

from dns_core.ports import AcceptAll, DataValidator
from dns_core.records import FactTable
from dns_ops.quality.validator import GxValidator
from tests.dns_ops.quality.test_validator import corpus, features

VALIDATORS: tuple[DataValidator, ...] = (AcceptAll(), GxValidator())


@pytest.mark.parametrize("validator", VALIDATORS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("table", [corpus(), features()], ids=lambda one: one.suite)
def test_sound_data_are_accepted_again_and_again(
    validator: DataValidator, table: FactTable, tmp_path: Path
) -> None:
    for _ in range(2):
        validator.validate([table], tmp_path / "report.json")
