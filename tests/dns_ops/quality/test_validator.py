"""Each expectation holds for sound data, and names the rows of unsound data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dns_core.records import FactTable
from dns_core.store.atomic import read_json
from dns_ops.quality.validator import GxValidator
from dns_ops.quality.verdict import RejectedDataError

PARAMS = yaml.safe_load((Path(__file__).resolve().parents[3] / "params.yaml").read_text())
DATA = PARAMS["validate_data"]
N = 20


def corpus(**changed: object) -> FactTable:
    columns: dict[str, list[object]] = {
        "video": [f"{row}.mp4" for row in range(N)],
        "status": ["readable"] * N,
        "duration_s": [12.0] * N,
        "fps": [25.0] * N,
        "sha256": [f"{row:x}" for row in range(N)],
    }
    return FactTable("corpus", "train", altered(columns, changed), ("video",), DATA["corpus"])


def features(**changed: object) -> FactTable:
    columns: dict[str, list[object]] = {
        "video": [f"{row}.mp4" for row in range(N)],
        "finite": [True] * N,
        "worst_norm": [1.0] * N,
        "usual_shape": [True] * N,
        "frames_amiss": [0.0] * N,
    }
    return FactTable("features", "train", altered(columns, changed), ("video",), DATA["features"])


def pairs(**changed: object) -> FactTable:
    columns: dict[str, list[object]] = {
        "anchor": [f"{row}.mp4" for row in range(N)],
        "target": ["t.mp4"] * N,
        "similarity": [0.5] * N,
        "crosses": [False] * N,
    }
    return FactTable(
        "pairs", "sample", altered(columns, changed), ("anchor", "target"), PARAMS["validate_pairs"]
    )


def pair_totals(**changed: object) -> FactTable:
    columns: dict[str, list[object]] = {
        "side": ["validation", "train"],
        "near_share": [0.5, 0.5],
        "far_share": [0.5, 0.5],
        "out_of_range": [0, 0],
        "crossing": [0, 0],
        "spread": [0.2, 0.2],
    }
    return FactTable("pair_totals", "all", altered(columns, changed), ("side",), PARAMS["validate_pairs"])


def leakage(**changed: object) -> FactTable:
    columns: dict[str, list[object]] = {
        "video": [f"q{row}.mp4" for row in range(N)],
        "training_video": [f"{row}.mp4" for row in range(N)],
        "similarity": [0.2] * N,
    }
    return FactTable(
        "leakage", "queries", altered(columns, changed), ("video", "training_video"), DATA["leakage"]
    )


def altered(columns: dict[str, list[object]], changed: dict[str, object]) -> dict[str, list[object]]:
    """The columns with another value in the last row, or with those of a list in the last rows."""
    last = {name: value if isinstance(value, list) else [value] for name, value in changed.items()}
    return columns | {name: [*columns[name][: -len(values)], *values] for name, values in last.items()}


SOUND = [corpus(), features(), leakage(), pairs(), pair_totals()]


def test_sound_data_are_accepted_and_every_expectation_is_in_the_report(tmp_path: Path) -> None:
    report = tmp_path / "validate.json"
    GxValidator().validate(SOUND, report)
    found = read_json(report)
    assert found["success"]
    assert [suite["suite"] for suite in found["suites"]] == [table.suite for table in SOUND]
    page = report.with_suffix(".html").read_text()
    for suite in found["suites"]:
        assert suite["expectations"]
        assert all(row["meaning"].replace("'", "&#x27;") in page for row in suite["expectations"])
    assert not any(word in page for word in ("<script", "http", "@import"))


@pytest.mark.parametrize(
    ("table", "column", "odd"),
    [
        (corpus, "duration_s", 0.2),
        (corpus, "duration_s", 20000.0),
        (corpus, "fps", 0.0),
        (features, "frames_amiss", 0.4),
    ],
)
def test_one_odd_video_in_twenty_stops_nothing_and_two_are_named(
    table: Callable[..., FactTable], column: str, odd: float, tmp_path: Path
) -> None:
    GxValidator().validate([table(**{column: odd})], tmp_path / "validate.json")
    (suite,) = read_json(tmp_path / "validate.json")["suites"]
    assert [row["rows"][0]["video"] for row in suite["expectations"] if row["failing"]] == ["19.mp4"]
    with pytest.raises(RejectedDataError, match=r"18\.mp4.*19\.mp4"):
        GxValidator().validate([table(**{column: [odd, odd]})], tmp_path / "validate.json")


@pytest.mark.parametrize(
    ("table", "named"),
    [
        (corpus(video="0.mp4"), "0.mp4"),
        (features(finite=False), "19.mp4"),
        (features(worst_norm=1.2), "19.mp4"),
        (features(usual_shape=False), "19.mp4"),
        (leakage(similarity=0.7), "q19.mp4 19.mp4"),
        (pairs(similarity=float("nan")), "19.mp4 t.mp4"),
        (pairs(similarity=float("inf")), "19.mp4 t.mp4"),
        (pairs(similarity=-1.5), "19.mp4 t.mp4"),
        (pairs(crosses=True), "19.mp4 t.mp4"),
        (pair_totals(near_share=0.0), "train"),
        (pair_totals(far_share=0.01), "train"),
        (pair_totals(out_of_range=3), "train"),
        (pair_totals(crossing=1), "train"),
        (pair_totals(spread=0.0), "train"),
    ],
)
def test_what_is_unsound_is_named(table: FactTable, named: str, tmp_path: Path) -> None:
    with pytest.raises(RejectedDataError) as error:
        GxValidator().validate([table], tmp_path / "validate.json")
    assert named in str(error.value)
    assert "\n" not in str(error.value)
    found = read_json(tmp_path / "validate.json")
    assert sum(not row["success"] for row in found["suites"][0]["expectations"]) == 1
    assert named.split(maxsplit=1)[0] in (tmp_path / "validate.html").read_text()


@pytest.mark.parametrize(("column", "value"), [("status", "quarantined: corrupt"), ("sha256", "0")])
def test_a_few_refused_or_repeated_files_are_allowed_and_more_are_not(
    column: str, value: str, tmp_path: Path
) -> None:
    GxValidator().validate([corpus(**{column: value})], tmp_path / "few.json")
    many = corpus()
    columns = {**many.columns, column: [value] * 6 + list(many.columns[column])[6:]}
    with pytest.raises(RejectedDataError, match=r"5\.mp4"):
        GxValidator().validate(
            [FactTable("corpus", "train", columns, ("video",), many.limits)], tmp_path / "many.json"
        )


def test_every_row_is_in_the_report_however_many_the_message_and_the_page_show(tmp_path: Path) -> None:
    names = [f"{number}.mp4" for number in range(300)]
    columns: dict[str, list[Any]] = {
        name: [values[0]] * len(names) for name, values in corpus().columns.items()
    }
    columns |= {"video": names, "sha256": names, "status": ["quarantined: corrupt"] * len(names)}
    table = FactTable("corpus", "train", columns, ("video",), corpus().limits)
    with pytest.raises(RejectedDataError, match=r"and 280 more.*validate\.json beside it names every row"):
        GxValidator().validate([table], tmp_path / "validate.json")
    (failed,) = (
        row for row in read_json(tmp_path / "validate.json")["suites"][0]["expectations"] if row["rows"]
    )
    assert [row["video"] for row in failed["rows"]] == names
    assert "and 200 more: validate.json has them all" in (tmp_path / "validate.html").read_text()
