from datetime import UTC, datetime, timedelta

import pytest

from dashboards.formats import ago, count, message, plain, share, short_name

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "now"), (-5, "now"), (59, "59 s ago"), (60, "1 min ago"), (7200, "2 h ago"), (3 * 86400, "3 d ago")],
)
def test_a_moment_is_told_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text


def test_a_moment_without_zone_is_utc() -> None:
    assert ago(datetime(2026, 5, 1, 11), NOW) == "1 h ago"


def test_figures_are_easy_to_read() -> None:
    assert count(100_000) == "100\u202f000"
    assert share(0.305) == "30%"
    assert short_name("short.mp4") == "short.mp4"
    assert len(short_name("x" * 500, 40)) == 40


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "![x](http://evil/pixel)", ":red[a]", "$x$", "a_b_c.mp4", "`id`"]
)
def test_a_name_keeps_no_sign_that_markdown_would_obey(name: str) -> None:
    shown = plain(name)
    assert shown.replace("\\", "") == name
    signs = [i for i, c in enumerate(shown) if c in "<>![]()*_`:$#|~{}"]
    assert signs
    assert all(shown[i - 1] == "\\" for i in signs)


def test_a_message_shows_its_commands_as_code_and_nothing_else() -> None:
    assert message("`dns up` starts <b>it</b>") == r"`dns up` starts \<b\>it\<\/b\>"
    assert message("one ` alone") == plain("one ` alone")
    assert message("`a\n<b>`") == "`a\\n<b>`"  # nothing is obeyed inside code, and a line stays one


def test_a_name_with_line_breaks_stays_on_one_line() -> None:
    assert "\n" not in plain("a\n# b")
