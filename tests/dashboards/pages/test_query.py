"""The page Query: the form, the list, the answer, one match."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dns_apps.service.client_errors import ServiceUnreachableError, problem_error
from dns_apps.service.schemas import NearMiss, Page, Problem, QuerySummary

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


def test_a_verdict_on_a_selection_is_kept_for_each_with_who_said_so(fake: Any, opened: Opened) -> None:
    app = opened("query", query="0123")
    app.button(key="select-all").click().run()
    app.text_input(key="reviewer").set_value("Ada").run()
    app.button(key="bulk-unsure").click().run()
    assert not app.exception
    kept = [what for what in fake.asked if what[0] == "put_label"]
    assert kept == [("put_label", "0123", name, "unsure") for name in ("archive/one.mp4", fake.evil)]
    assert fake.labelled_by == "Ada"
    assert not app.checkbox[0].value


def test_what_has_a_verdict_is_left_out_where_it_is_not_wanted(fake: Any, opened: Opened) -> None:
    assert fake
    app = opened("query", query="0123")
    app.segmented_control(key="shown-0123").set_value("Without a verdict").run()
    assert [box.label for box in app.checkbox] == ["Select #1"]


def test_other_options_are_asked_with_the_same_video(fake: Any, opened: Opened) -> None:
    app = opened("query", query="0123")
    app.slider(key="again-0123-threshold").set_value(0.7)
    app.button(key="again").click().run()
    (asked,) = [what for what in fake.asked if what[0] == "query_again"]
    assert asked[1] == "0123"
    assert asked[2].threshold == 0.7
    assert not [what for what in fake.asked if what[0] == "query_file"]


def test_the_nearest_below_the_threshold_is_named_where_nothing_is_found(
    fake: Any, opened: Opened, texts: Texts
) -> None:
    query = fake.made_query()
    none = {"matches": (), "near_miss": NearMiss(video_id="near.mp4", score=0.155)}
    fake.query_found = query.model_copy(update={"answer": query.answer.model_copy(update=none)})
    shown = texts(opened("query", query="0123")).replace("\\", "")
    assert "near.mp4: doubtful 0.155" in shown


def test_a_score_stands_in_words_and_the_querys_own_file_is_marked(
    fake: Any, opened: Opened, texts: Texts
) -> None:
    query = fake.made_query()
    own = query.answer.matches[0].model_copy(update={"same_file": True})
    fake.query_found = query.model_copy(
        update={"answer": query.answer.model_copy(update={"matches": (own,)})}
    )
    shown = texts(opened("query", query="0123"))
    assert "**almost certain** 0.910" in shown
    assert "the query itself" in shown


def test_a_search_is_kept_under_a_name(fake: Any, opened: Opened) -> None:
    app = opened("query", query="0123")
    app.text_input(key="title").set_value("Harbour")
    next(button for button in app.button if button.label == "Keep under this name").click().run()
    assert ("put_title", "0123", "Harbour") in fake.asked


def test_a_video_that_another_page_sends_is_chosen(fake: Any, opened: Opened) -> None:
    assert fake
    app = opened("query", video="archive/007.mp4")
    assert app.selectbox(key="stored-video").options[0].startswith("archive/007.mp4")
    assert "video" not in app.query_params


def test_a_review_plays_both_and_shows_pictures_again(fake: Any, opened: Opened) -> None:
    app = opened("query", query="0123", review="next")
    app.button(key="play-both").click().run()
    assert not app.exception
    assert ("preview", "archive/one.mp4", 20.0, 24.0) in fake.asked
    assert len(app.get("video")) == 2
    app.button(key="play-both").click().run()
    assert not app.get("video")


@pytest.mark.usefixtures("fake")
def test_queries_that_were_asked_together_stand_in_one_list(opened: Opened) -> None:
    app = opened("query", several="0123,0124")
    assert not app.exception
    assert app.button(key="several-1").label.startswith("holiday")
    app.button(key="several-0").click().run()
    assert app.query_params["query"] == "0123"


@pytest.mark.parametrize("address", [{}, {"query": "0123"}, {"query": "0123", "review": "next"}])
def test_no_two_buttons_of_a_page_have_one_name(fake: Any, opened: Opened, address: dict[str, str]) -> None:
    assert fake
    names = labels(opened("query", **address))
    assert sorted(names) == sorted(set(names))


def test_a_failed_query_has_no_score_in_the_list(fake: Any, opened: Opened) -> None:
    failed = QuerySummary(id="9", name="x.mp4", state="failed", progress=1, created_at=fake.now)
    fake.queries = lambda **_: Page(items=(failed,), total=1, limit=1, offset=0)
    row = opened("query").dataframe[0].value.iloc[0]
    assert row["score"] is None
    assert row["matches"] is None
