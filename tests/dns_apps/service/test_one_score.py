"""Command, Python and HTTP give two files the same score and segments, to the last digit."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dns_apps.cli.main import app
from dns_apps.service.client import Client
from dns_apps.service.schemas import QueryOptions
from dns_core.retrieval.bundle import SHIPPED_MODELS
from dns_core.search import Searcher

MARKET = "folder/market.mp4"
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def command() -> Run:
    """What a command prints as JSON."""

    def invoke(*arguments: object) -> Any:
        result = CliRunner().invoke(app, [*map(str, arguments), "--models", str(SHIPPED_MODELS), "--json"])
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return invoke


def test_a_comparison_is_the_same_by_command_from_python_and_over_http(
    command: Run, client: Client, videos: Path, excerpt: Path
) -> None:
    here = Searcher.of_models(SHIPPED_MODELS).compare(excerpt, videos / MARKET)
    segments = [asdict(segment) for segment in here.segments]
    assert segments

    printed = command("compare", excerpt, videos / MARKET)
    assert (printed["score"], printed["raw_score"]) == (here.calibrated, here.score)
    assert printed["segments"] == segments

    asked = client.query_file(excerpt, QueryOptions(budget="1", top_k=3))
    answered = client.match(asked.id, MARKET)
    assert (answered.score, answered.raw_score) == (here.calibrated, here.score)
    assert [segment.model_dump() for segment in answered.segments] == segments
    assert list(answered.query_times_s) == here.query_times_s.tolist()


def test_a_search_is_the_same_by_command_from_python_and_over_http(
    command: Run, client: Client, built: Path, excerpt: Path
) -> None:
    here = Searcher.open(built, SHIPPED_MODELS).query(excerpt, budget="1")
    rows = json.loads(json.dumps([asdict(match) for match in here.results]))
    assert len(rows) == 3

    printed = command("query", excerpt, "--index", built, "--budget", "1")
    assert [{name: row[name] for name in rows[0]} for row in printed["results"]] == rows

    asked = client.query_file(excerpt, QueryOptions(budget="1", top_k=3))
    assert asked.answer is not None
    found = [match.model_dump(include=set(rows[0])) for match in asked.answer.matches]
    assert json.loads(json.dumps(found)) == rows
