import os
import sys
from pathlib import Path

import pytest

from dns_ops.pipeline.environment import stage_environment


def test_a_stage_finds_the_command_and_keeps_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    environment = stage_environment({"DNS_PARENT": "7"})
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["DNS_PARENT"] == "7"
    assert int(environment["MALLOC_TRIM_THRESHOLD_"]) >= 1 << 30


def test_what_the_user_set_of_memory_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "4096")
    assert stage_environment({})["MALLOC_TRIM_THRESHOLD_"] == "4096"
