"""A dashboard with a token shows nothing without it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboards
from dashboards.shell.login import is_welcome

APP = Path(dashboards.__file__).parent / "shell" / "app.py"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("DNS_DASHBOARD_TOKEN", "open sesame")
    monkeypatch.setattr("dashboards.shell.login._PAUSE_S", 0.0)
    return AppTest.from_file(str(APP), default_timeout=60).run()


def test_nothing_is_shown_without_the_token_or_with_another(
    app: AppTest, texts: Callable[[AppTest], str]
) -> None:
    assert "Needs attention" not in texts(app)
    app.text_input(key="token").set_value("guess")
    app.button[0].click().run()
    assert "not the token" in app.error[0].value
    assert "Needs attention" not in texts(app)


def test_the_token_opens_all_of_it(app: AppTest, texts: Callable[[AppTest], str]) -> None:
    app.text_input(key="token").set_value("open sesame")
    app.button[0].click().run()
    assert "Needs attention" in texts(app)
    assert "open sesame" not in texts(app)


def named(workspace: Path, content: str) -> AppTest:
    (workspace / ".streamlit").mkdir()
    (workspace / ".streamlit" / "secrets.toml").write_text(content)
    return AppTest.from_file(str(APP), default_timeout=60).run()


def test_a_provider_that_cannot_be_read_refuses_everyone(workspace: Path) -> None:
    app = named(workspace, "[auth\n")
    assert "expected TOML" in app.exception[0].message
    assert len(app.title) == 0


def test_where_a_provider_is_named_visitors_sign_in(workspace: Path, texts: Callable[[AppTest], str]) -> None:
    app = named(workspace, '[auth]\nclient_id = "dns"\n')
    assert [button.label for button in app.button] == ["Sign in"]
    assert "Needs attention" not in texts(app)


@pytest.mark.parametrize(
    ("address", "users", "welcome"),
    [
        ("ann@example.org", "", True),
        ("Ann@Example.org", "bob@example.org, ann@example.org", True),
        ("ann@example.org", "@example.org", True),
        ("ann@example.org.evil.net", "@example.org", False),
        ("eve@example.net", "ann@example.org,@example.org", False),
        ("", "@example.org", False),
        ("nobody", "@", False),
    ],
)
def test_only_named_people_and_domains_are_let_in(address: str, users: str, welcome: bool) -> None:
    assert is_welcome(address, users) == welcome
