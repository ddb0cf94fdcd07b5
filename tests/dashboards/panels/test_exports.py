import csv
import io
import json
from typing import Any

from dashboards.panels.exports import answer_csv, answer_json


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_row_a_stretch_and_one_for_a_match_without_any(fake: Any) -> None:
    found = rows(answer_csv(fake.made_query()))
    assert [row["video"] for row in found] == ["archive/one.mp4", fake.evil]
    assert found[0]["target_start_s"] == "20.000"
    assert found[1]["target_start_s"] in ("", None)
    assert found[1]["label"] == "not_a_copy"


def test_a_name_that_a_spreadsheet_would_run_is_quoted(fake: Any) -> None:
    query = fake.made_query()
    bad = query.answer.matches[0].model_copy(update={"video_id": "=HYPERLINK(1).mp4"})
    query = query.model_copy(update={"answer": query.answer.model_copy(update={"matches": (bad,)})})
    assert rows(answer_csv(query))[0]["video"] == "'=HYPERLINK(1).mp4"


def test_json_is_the_whole_answer(fake: Any) -> None:
    assert json.loads(answer_json(fake.made_query()))["answer"]["matches"][0]["score"] == 0.91


def test_a_query_without_an_answer_is_a_table_without_rows(fake: Any) -> None:
    assert rows(answer_csv(fake.made_query("running"))) == []
