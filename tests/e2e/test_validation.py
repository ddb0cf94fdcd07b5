"""What is wrong with the data stops the pipeline before anything is learnt from them, and is named."""

import shutil
from pathlib import Path

import pytest

from dns_core.errors import InputError
from dns_core.params import load_params, run_stage
from dns_core.store.atomic import read_json
from dns_core.video.decode import read_clip
from dns_core.video.encode import write_video
from dns_core.workspace import StageContext, Workspace
from dns_ops.quality.validator import GxValidator

BEFORE_TRAINING = ("probe_videos", "extract_features", "fit_whitening", "split_videos", "validate_data")


def validated(workspace: Path) -> None:
    params = load_params(workspace / "params.yaml")
    for name in BEFORE_TRAINING:
        run_stage(name, params, StageContext(Workspace(workspace), validator=GxValidator()))


@pytest.fixture
def workspace(fresh_workspace: Path, data: Path) -> Path:
    """A workspace with videos of its own; the queries are few, for what is wrong here is not in them."""
    (fresh_workspace / "data").unlink()
    shutil.copytree(data, fresh_workspace / "data")
    for query in sorted((data / "test" / "queries").iterdir())[1:]:
        (fresh_workspace / "data" / "test" / "queries" / query.name).unlink()
    return fresh_workspace


def named_rows(workspace: Path, suite: str, part: str) -> list[str]:
    report = read_json(workspace / "artifacts" / "quality" / "validate_data.json")
    assert not report["success"]
    (found,) = [row for row in report["suites"] if (row["suite"], row["part"]) == (suite, part)]
    return sorted(row["video"] for e in found["expectations"] if not e["success"] for row in e["rows"])


@pytest.mark.slow
def test_a_corpus_with_corrupt_files_stops_and_names_them(workspace: Path) -> None:
    corrupt = sorted((workspace / "data" / "train").iterdir())[:3]
    for path in corrupt:
        path.write_bytes(b"\0" * 5000)
    with pytest.raises(InputError, match="no more than 10% of the files are refused, found 3") as error:
        validated(workspace)
    assert all(path.name in str(error.value) for path in corrupt)
    assert str(error.value).count("expected that") == 1
    assert named_rows(workspace, "corpus", "train") == [path.name for path in corrupt]


@pytest.mark.slow
def test_test_videos_among_the_training_videos_stop_and_are_named(workspace: Path) -> None:
    database, train = workspace / "data" / "test" / "database", workspace / "data" / "train"
    first, second = sorted(database.iterdir(), key=lambda path: path.stat().st_size)[-2:]
    shutil.copy(first, train / "holiday.mp4")
    clip = read_clip(second)
    write_video(train / "again.mp4", clip.frames, clip.fps, crf=32)
    with pytest.raises(InputError, match="leakage of database: expected that no test video") as error:
        validated(workspace)
    assert str(error.value).count("expected that") == str(error.value).count("leakage of")
    assert f"{first.name} holiday.mp4" in str(error.value)
    assert f"{second.name} again.mp4" in str(error.value)
    assert {first.name, second.name} <= set(named_rows(workspace, "leakage", "database"))
    assert not (workspace / "artifacts" / "quality" / "validate_data.passed").exists()
