"""A user's error ends a run with a sentence."""

from pathlib import Path

import pytest

from flows.evaluate import evaluate
from flows.monitor import monitor
from flows.refresh_index import refresh_index


@pytest.mark.slow
def test_without_a_champion_a_run_says_what_to_do_and_shows_no_traceback(
    pipeline: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert pipeline.is_dir()
    for flow in (evaluate, monitor, refresh_index):
        state = flow(return_state=True)
        assert state.is_failed()
        assert "no bundle is in service yet; `dns models promote` puts one there" in (state.message or "")
    assert "Traceback" not in caplog.text
