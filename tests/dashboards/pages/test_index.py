"""The page Index: what it holds, adding, removing, reloading."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.pages.index.uploads import safe_path, take_in
from dns_apps.service.schemas import HolderRow, Job
from dns_core.errors import InputError

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
    assert ("videos", "", 24, 24) in fake.asked
    app.text_input(key="index-search").set_value("archive").run()
    assert [what for what in fake.asked if what[0] == "videos"][-1] == ("videos", "archive", 24, 0)


@pytest.mark.usefixtures("fake")
def test_nothing_is_added_before_something_is_ticked(opened: Opened) -> None:
    assert part(opened("index"), "Add").button(key="add").disabled


@pytest.mark.usefixtures("fake")
def test_the_videos_of_the_page_may_be_removed_once_some_are_named(opened: Opened) -> None:
    app = opened("index")
    app.button(key="remove").click().run()
    assert len(app.multiselect(key="removed").options) == 24
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
    app = part(opened("index"), "Add")
    assert "Upload videos above" in texts(app)
    assert [link.proto.page for link in app.get("page_link")] == ["flows"]


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


def test_filters_are_asked_of_the_service(fake: Any, opened: Opened) -> None:
    app = opened("index")
    app.selectbox(key="index-length").set_value("10 s to 1 min").run()
    app.selectbox(key="index-version").set_value(2).run()
    app.selectbox(key="index-order").set_value("largest").run()
    asked = fake.listed
    assert (asked.shortest_s, asked.longest_s, asked.version, asked.order) == (10, 60, 2, "largest")


def test_what_is_alike_is_asked_for_and_left_again(fake: Any, opened: Opened, texts: Texts) -> None:
    app = opened("index")
    app.button(key="alike-3").click().run()
    assert fake.listed.similar_to == "archive/003.mp4"
    assert "The most like" in texts(app)
    app.button(key="not-alike").click().run()
    assert fake.listed.similar_to == ""


def test_a_selection_of_pictures_is_named_in_the_question(fake: Any, opened: Opened) -> None:
    app = opened("index")
    app.checkbox(key="chosen-archive/001.mp4").check().run()
    app.button(key="remove").click().run()
    assert app.multiselect(key="removed").value == ["archive/001.mp4"]
    assert not [what for what in fake.asked if what[0] == "remove"]


def test_a_picture_leads_to_a_search_with_its_video(fake: Any, opened: Opened) -> None:
    assert fake
    link = opened("index").get("page_link")[0].proto
    assert link.page == "query"
    assert "video=archive%2F000.mp4" in link.query_string


@pytest.mark.parametrize("name", ["../a.mp4", "/etc/a.mp4", "", "a/../../b.mp4", "..\\a.mp4"])
def test_an_upload_never_leaves_its_folder(name: str) -> None:
    with pytest.raises(InputError, match="below the folder"):
        safe_path(name)
    assert safe_path("film/part 1.mp4").parts == ("film", "part 1.mp4")


def test_uploads_are_kept_and_taken_in_by_the_flow(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Any] = []

    def start_named(*what: Any) -> Any:
        asked.append(what)
        return SimpleNamespace(run_id="r")

    server = SimpleNamespace(start_named=start_named)
    monkeypatch.setattr("dashboards.pages.index.uploads.records.flow_server", lambda: server)
    file = BytesIO(b"film")
    file.name = "some/clip.mp4"
    assert take_in([file], "train") == "r"  # type: ignore[list-item]
    ((name, given),) = asked
    assert name == "ingest/ingest"
    assert given["collection"] == "train"
    assert (Path(given["source"]) / "some/clip.mp4").read_bytes() == b"film"
    assert Path(given["source"]).is_relative_to(workspace / ".platform/incoming")
    file.name = "../clip.mp4"
    with pytest.raises(InputError):
        take_in([file], "train")  # type: ignore[list-item]
    assert len(list((tmp_path / ".platform/incoming").iterdir())) == 1
