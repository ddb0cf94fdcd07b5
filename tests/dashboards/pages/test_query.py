"""The page Query: the form, the list, the answer, one match."""

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from dns_apps.service.client_errors import ServiceUnreachableError, problem_error
from dns_apps.service.schemas import Problem

Opened = Callable[..., AppTest]
Texts = Callable[[AppTest], str]


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_the_form_stands_above_what_was_asked_lately(fake: Any, opened: Opened, texts: Texts) -> None:
    app = opened("query")
    assert "Recent queries" in texts(app)
    assert app.button(key="search").disabled
    assert app.dataframe[0].value["query"].tolist() == [fake.evil]


def test_an_excerpt_of_a_stored_video_is_asked_with_budget_and_threshold(fake: Any, opened: Opened) -> None:
    app = opened("query")
    app.segmented_control(key="kind").set_value("Pick a video of the index").run()
    app.slider(key="excerpt-archive/000.mp4").set_value((5.0, 15.0)).run()
    app.select_slider(key="budget-share").set_value(0.1)
    app.slider(key="threshold").set_value(0.5)
    app.button(key="search").click().run()
    (asked,) = [what for what in fake.asked if what[0] == "query_video"]
    assert (asked[1].start_s, asked[1].stop_s) == (5.0, 15.0)
    assert (asked[2].budget, asked[2].threshold) == ("0.1", 0.5)
    assert app.query_params["query"] == "0123"


def test_the_list_of_videos_is_asked_for_in_part(fake: Any, opened: Opened) -> None:
    app = opened("query")
    app.segmented_control(key="kind").set_value("Pick a video of the index").run()
    app.text_input(key="stored-search").set_value("11").run()
    assert [what for what in fake.asked if what[0] == "videos"][-1] == ("videos", "11", 50, 0)
    assert app.selectbox(key="stored-video").options[0].startswith("archive/011.mp4")


def test_the_answer_has_a_card_for_each_match_with_score_and_badge(
    fake: Any, opened: Opened, texts: Texts
) -> None:
    shown = texts(opened("query", query=fake.made_query().id))
    assert "0.910" in shown
    assert "fine" in shown
    assert "coarse" in shown
    assert "88 videos searched" in shown.replace("\\", "")


def test_a_name_of_html_is_shown_as_text(fake: Any, opened: Opened, texts: Texts) -> None:
    app = opened("query", query="0123")
    assert fake.evil in texts(app).replace("\\", "")
    assert all(not element.allow_html for element in app.markdown)
    assert not any("onerror" in element.proto.body for element in app.get("html"))


def test_a_verdict_is_kept_and_taken_back(fake: Any, opened: Opened) -> None:
    app = opened("query", query="0123")
    choice = app.segmented_control(key="label-card-0123-archive/one.mp4")
    choice.set_value("copy").run()
    choice = app.segmented_control(key="label-card-0123-archive/one.mp4")
    choice.set_value(None).run()
    kept = [what for what in fake.asked if what[0] == "put_label"]
    assert kept == [
        ("put_label", "0123", "archive/one.mp4", "copy"),
        ("put_label", "0123", "archive/one.mp4", None),
    ]


def test_a_match_opens_by_its_button_and_by_the_address(fake: Any, opened: Opened, texts: Texts) -> None:
    app = opened("query", query="0123")
    app.button(key="open-1").click().run()
    assert app.query_params["match"] == "archive/one.mp4"
    shown = texts(opened("query", query="0123", match="archive/one.mp4"))
    assert "40% of the query is matched" in shown
    assert ("match", "0123", "archive/one.mp4", 256) in fake.asked


def test_a_match_that_is_not_in_the_answer_is_said_to_be_missing(
    opened: Opened, texts: Texts, fake: Any
) -> None:
    assert fake
    assert "not among the matches" in texts(opened("query", query="0123", match="other.mp4"))


def test_an_answer_without_matches_says_what_to_try(fake: Any, opened: Opened, texts: Texts) -> None:
    query = fake.made_query()
    fake.query_found = query.model_copy(update={"answer": query.answer.model_copy(update={"matches": ()})})
    assert "raise the budget" in texts(opened("query", query="0123"))


def test_a_running_query_shows_its_progress_and_can_be_cancelled(fake: Any, opened: Opened) -> None:
    fake.query_found = fake.made_query("running")
    app = opened("query", query="0123")
    app.button(key="cancel").click().run()
    assert ("delete_query", "0123") in fake.asked
    assert "query" not in app.query_params


def test_a_failed_query_says_why_and_offers_the_form(fake: Any, opened: Opened, texts: Texts) -> None:
    problem = Problem(title="Not a video", status=422, detail="notes.txt: expected a video, found text")
    fake.query_found = fake.made_query("failed", problem=problem)
    app = opened("query", query="0123")
    assert "found text" in texts(app)
    assert "Search" in labels(app)


def test_a_query_that_is_not_kept_leads_back(fake: Any, opened: Opened, texts: Texts) -> None:
    fake.query_found = None
    app = opened("query", query="9999")
    assert "not there" in texts(app)
    assert "Back to the list" in labels(app)


def test_a_service_that_is_down_and_a_wrong_token_say_what_to_do(
    fake: Any, opened: Opened, texts: Texts
) -> None:
    fake.failure = ServiceUnreachableError("no answer")
    assert "dns serve" in texts(opened("query"))
    fake.failure = problem_error(Problem(title="Unauthorized", status=401, detail="expected a token"))
    assert "DNS_SERVICE_TOKEN" in texts(opened("query", query="0123"))


def test_a_review_keeps_a_verdict_moves_on_and_takes_it_back(fake: Any, opened: Opened, texts: Texts) -> None:
    app = opened("query", query="0123")
    app.button(key="review").click().run()
    assert not app.exception
    assert app.query_params["review"] == "next"
    assert "archive/one.mp4" in texts(app).replace("\\", "")
    assert app.button(key="undo-verdict").disabled
    app.button(key="verdict-unsure-1").click().run()
    assert ("put_label", "0123", "archive/one.mp4", "unsure") in fake.asked
    app.button(key="undo-verdict").click().run()
    assert fake.asked[-1] != ("put_label", "0123", "archive/one.mp4", "unsure")
    assert ("put_label", "0123", "archive/one.mp4", None) in fake.asked
    assert app.query_params["review"] == "archive/one.mp4"
