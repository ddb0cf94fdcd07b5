"""The page Index: what it holds, adding, removing, reloading."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dns_apps.service.schemas import HolderRow, Job

Opened = Callable[..., AppTest]
Texts = Callable[[AppTest], str]


def part(app: AppTest, name: str) -> AppTest:
    app.session_state["index-part"] = name
    return app.run()


def test_the_page_shows_figures_health_and_quarantine(fake: Any, opened: Opened, texts: Texts) -> None:
    app = opened("index")
    assert [metric.value for metric in app.metric][:2] == ["88", "v2"]
    shown = texts(app)
    assert "healthy" in shown
    assert "4 removed videos" in shown
    quarantine = part(app, "Quarantine").dataframe[0].value
    assert quarantine["video_id"].tolist() == [fake.evil]
    assert part(app, "Versions").dataframe[0].value["version"].tolist() == [3, 2]


def test_machines_that_hold_the_index_are_shown_with_their_versions(fake: Any, opened: Opened) -> None:
    ready = HolderRow(
        name="holder-0", group=0, host="north", process=7, state="ready", version=2, lag=0, n_videos=44
    )
    lost = ready.model_copy(update={"host": "", "lag": 2, "state": "lost", "problem": "a file is damaged"})
    fake.index_state = fake.index_state.model_copy(update={"holders": (ready, lost)})
    shown = part(opened("index"), "Machines").dataframe[0].value
    assert shown["machine"].tolist() == ["north", "-"]
    assert shown["versions behind"].tolist() == [0, 2]
    assert shown["problem"].tolist() == ["", "a file is damaged"]


@pytest.mark.usefixtures("fake")
def test_an_index_on_one_machine_has_no_list_of_machines(opened: Opened) -> None:
    assert "Machines" not in [tab.label for tab in opened("index").tabs]


def test_a_newer_version_on_disk_is_offered_and_served(fake: Any, opened: Opened) -> None:
    app = opened("index")
    button = app.button(key="reload")
    assert button.label == "Serve version 3"
    button.click().run()
    assert ("reload",) in fake.asked


def test_the_list_is_turned_page_by_page_and_begins_anew_with_a_search(fake: Any, opened: Opened) -> None:
    app = opened("index")
    app.button(key="Later-contents").click().run()
    assert ("videos", "", 50, 50) in fake.asked
    app.text_input(key="index-search").set_value("archive").run()
    assert [what for what in fake.asked if what[0] == "videos"][-1] == ("videos", "archive", 50, 0)


@pytest.mark.usefixtures("fake")
def test_nothing_is_added_before_something_is_ticked(opened: Opened) -> None:
    assert part(opened("index"), "Add").button(key="add").disabled


@pytest.mark.usefixtures("fake")
def test_the_videos_of_the_page_may_be_removed_once_some_are_named(opened: Opened) -> None:
    app = opened("index")
    app.button(key="remove").click().run()
    assert len(app.multiselect(key="removed").options) == len(app.table[0].value)
    assert app.button(key="remove-sure").disabled


def test_what_is_named_is_removed_and_nothing_else(fake: Any) -> None:
    def removal() -> None:
        from dashboards.pages.index.contents import draw_removal  # noqa: PLC0415 - a page of its own

        draw_removal(["a.mp4", "b.mp4", "c.mp4"])

    app = AppTest.from_function(removal).run()
    app.multiselect(key="removed").select("b.mp4").run()
    app.button(key="remove-sure").click().run()
    assert [what for what in fake.asked if what[0] == "remove"] == [("remove", "b.mp4")]
    assert not app.exception


def test_no_file_to_add_says_where_they_come_from(fake: Any, opened: Opened, texts: Texts) -> None:
    fake.candidate_paths = ()
    assert "Copy new videos" in texts(part(opened("index"), "Add"))


def test_an_index_that_is_not_healthy_says_why(fake: Any, opened: Opened, texts: Texts) -> None:
    fake.index_state = fake.index_state.model_copy(
        update={"healthy": False, "health": "shard 2 is truncated"}
    )
    assert "shard 2 is truncated" in texts(opened("index"))


def test_a_part_that_is_not_open_asks_for_nothing(fake: Any, opened: Opened) -> None:
    opened("index")
    assert not [what for what in fake.asked if what[0] == "candidates"]


def test_work_asked_for_elsewhere_is_followed(fake: Any, opened: Opened) -> None:
    fake.index_jobs = (Job(id="other", state="running", progress=0.5, messages=("quarantined a",)),)
    app = part(opened("index"), "Add")
    assert ("job", "other") in fake.asked
    assert not app.exception
