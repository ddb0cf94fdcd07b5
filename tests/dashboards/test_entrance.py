"""A dashboard with a token shows nothing without it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboards

APP = Path(dashboards.__file__).parent / "shell" / "app.py"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("DNS_DASHBOARD_TOKEN", "open sesame")
    monkeypatch.setattr("dashboards.shell.entrance._PAUSE_S", 0.0)
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
