"""`dns plan`."""

import json

import pytest
from typer.testing import CliRunner

from dns_apps.cli.main import app


def out(*arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, ["plan", *arguments])
    assert found.exit_code == code, found.output
    return found.output


def test_the_table_goes_from_a_million_to_a_billion_and_says_what_is_extrapolated() -> None:
    text = out()
    for n_videos in ("1,000,000", "10,000,000", "100,000,000", "1,000,000,000"):
        assert n_videos in text
    assert "extrapolated 10,000-fold" in text
    assert "measured: " in text
    assert "core seconds a second of (short) video" in text


def test_json_has_plain_numbers_and_their_sources() -> None:
    found = json.loads(out("--videos", "5000", "--videos", "2000000", "--minutes", "3", "--json"))
    small, large = found["plans"]
    assert (small["n_videos"], small["minutes"], small["measured"]) == (5000, 3.0, True)
    assert (large["n_videos"], large["measured"]) == (2_000_000, False)
    assert large["storage_bytes"] == pytest.approx(400 * small["storage_bytes"])
    assert large["core_hours"] == pytest.approx(400 * small["core_hours"])
    assert found["figures"]["source"]


def test_a_goal_out_of_reach_is_said() -> None:
    assert "none is fast enough" in out("--videos", "1000000", "--seconds", "0.0001")


@pytest.mark.parametrize("wrong", [("--videos", "0"), ("--minutes", "0"), ("--replicas", "0")])
def test_what_makes_no_sense_is_refused_in_a_line(wrong: tuple[str, str]) -> None:
    assert "got" in out(*wrong, code=2)
