import json
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from dns_core.datasets.benchmark import Benchmark
from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError
from dns_core.measurement.paper_tables import score_pass
from dns_core.measurement.paper_tables.networks import load_networks
from dns_core.measurement.paper_tables.run import replicate
from dns_core.measurement.paper_tables.score_store import ScoreStore
from dns_core.measurement.paper_tables.videos import usable_regions
from dns_core.ports import SilentProgress
from tests.dns_core.measurement.paper_tables.conftest import QUERIES, VIDEOS, write_networks
from tests.factories import DIMS

T = TypeVar("T")
Features = Callable[..., Path]


class Interrupted(SilentProgress):
    """Progress of a run that is stopped after some videos."""

    def __init__(self, after: int) -> None:
        self.after = after

    def track(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:  # noqa: ARG002
        for number, item in enumerate(items):
            if description == "videos" and number == self.after:
                raise KeyboardInterrupt
            yield item


def evaluated(benchmark: Benchmark, features: Path, models: Path, folder: Path, **options: Any) -> Any:
    settings = {"shares": (0.0, 0.5, 1.0), "progress": SilentProgress(), **options}
    return replicate(benchmark, features, models, folder=folder, **settings)


def values(report: Any) -> Any:
    """All figures but the seconds."""
    return [
        (rule, line["method"], line["share"], line["bytes_per_video"], line["tasks"])
        for rule, lines in report["rules"].items()
        for line in lines
    ]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the videos whose features were read, in order; at most two videos live at a time."""
    ids: list[str] = []
    alive: list[Any] = []

    def noting(store: Any, video_id: str, dims: int) -> Any:
        ids.append(video_id)
        found = usable_regions(store, video_id, dims)
        if isinstance(found, np.ndarray):
            assert sum(each() is not None for each in alive) < 2
            alive.append(weakref.ref(found))
        return found

    monkeypatch.setattr(score_pass, "usable_regions", noting)
    return ids


def test_every_line_under_both_rules(
    benchmark: Benchmark, features: Features, models: Path, tmp_path: Path, read: list[str]
) -> None:
    report = evaluated(benchmark, features(), models, tmp_path / "out")
    assert read == [*QUERIES, *VIDEOS]
    assert report == json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["coverage"] == 1
    for lines in report["rules"].values():
        assert [(line["method"], line["share"]) for line in lines] == [
            ("fine_attention", None),
            ("fine_binary", None),
            ("coarse", None),
            *(("DnS fine_attention", share) for share in (0.0, 0.5, 1.0)),
            *(("DnS fine_binary", share) for share in (0.0, 0.5, 1.0)),
        ]
        by_name = {(line["method"], line["share"]): line for line in lines}
        tasks = {name: line["tasks"] for name, line in by_name.items()}
        # Nothing re-ranked is the coarse student, everything the fine one.
        assert tasks["DnS fine_binary", 0.0] == tasks["coarse", None]
        assert tasks["DnS fine_attention", 1.0] == tasks["fine_attention", None]
        frames = np.mean([1 + 3 * i for i in range(10)])
        if lines is report["rules"]["corrected"]:
            assert by_name["fine_attention", None]["bytes_per_video"] == frames * 9 * DIMS * 4
            assert by_name["fine_binary", None]["bytes_per_video"] == frames * 9 * DIMS / 8
        assert by_name["coarse", None]["bytes_per_video"] == 16 * 4
        assert all(line["seconds_per_query"] > 0 for line in lines)


@pytest.mark.parametrize("after", [0, 1, 7])
def test_a_stopped_run_goes_on_to_the_same_figures(
    benchmark: Benchmark, features: Features, tmp_path: Path, after: int, read: list[str]
) -> None:
    file, models = features(), write_networks(tmp_path / "networks")
    whole = evaluated(benchmark, file, models, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        evaluated(benchmark, file, models, tmp_path / "out", progress=Interrupted(after))
    read.clear()
    assert values(evaluated(benchmark, file, models, tmp_path / "out")) == values(whole)
    assert read == [*QUERIES, *VIDEOS[after:]]
    read.clear()
    assert values(evaluated(benchmark, file, models, tmp_path / "out")) == values(whole)
    assert read == list(QUERIES)


def test_a_killed_run_repeats_what_it_had_not_saved(
    benchmark: Benchmark, features: Features, tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, models = features(), write_networks(tmp_path / "networks")
    whole = evaluated(benchmark, file, models, tmp_path / "whole")
    monkeypatch.setattr(score_pass, "_SAVE_EVERY", 3)
    save = ScoreStore.save

    def without_farewell(ledger: ScoreStore, compared: Any, unusable: Any) -> None:
        if len(compared) == 3:
            save(ledger, compared, unusable)

    with monkeypatch.context() as killed:
        killed.setattr(ScoreStore, "save", without_farewell)
        with pytest.raises(KeyboardInterrupt):
            evaluated(benchmark, file, models, tmp_path / "out", progress=Interrupted(8))
    read.clear()
    assert values(evaluated(benchmark, file, models, tmp_path / "out")) == values(whole)
    assert read == [*QUERIES, *VIDEOS[6:]]


def test_files_of_others_are_not_removed(
    benchmark: Benchmark, features: Features, models: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "out" / "ledger" / "accounts.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(InputError, match="expected a folder for scores alone"):
        evaluated(benchmark, features(), models, tmp_path / "out")
    assert mine.read_text() == "mine"


def test_other_models_start_anew(
    benchmark: Benchmark, features: Features, models: Path, tmp_path: Path, read: list[str]
) -> None:
    file = features()
    evaluated(benchmark, file, models, tmp_path / "out")
    other = write_networks(tmp_path / "other", "coarse.t")
    read.clear()
    report = evaluated(benchmark, file, other, tmp_path / "out")
    assert read == [*QUERIES, *VIDEOS]
    assert [line["method"] for line in report["rules"]["reference"]] == ["coarse"]


def test_what_cannot_be_used_is_counted_with_its_reason_and_the_rest_goes_on(
    benchmark: Benchmark, features: Features, models: Path, tmp_path: Path
) -> None:
    broken = np.ones((5, 9, DIMS))
    broken[3, 2, 1] = np.nan
    file = features(
        v1=None, v2=broken, v3=np.ones((5, 9, 32)), v4=np.ones((0, 9, DIMS)), v5=np.ones(7), q1=None
    )
    report = evaluated(benchmark, file, models, tmp_path / "out")
    assert report["reasons"] == {
        "corrupt": 1,
        "missing": 2,
        "no_frames": 1,
        "not_finite": 1,
        "wrong_shape": 1,
    }
    assert (report["queries_answered"], report["videos_compared"]) == (2, 5)
    assert report["coverage"] == pytest.approx(2 / 3 * 5 / 10)
    assert f"{file}: v3: expected features [T, R, 64], found [5, 9, 32]" == report["unusable"]["v3"]
    assert "v2: expected finite features, found NaN" in report["unusable"]["v2"]
    # Each has lost positives: they stay in our denominator alone.
    theirs, ours = (report["rules"][rule][0]["tasks"]["mAP"] for rule in ("reference", "corrected"))
    assert (theirs["queries"], ours["queries"]) == (2, 3)
    assert ours["mean_average_precision"] < theirs["mean_average_precision"]


def test_a_truncated_file_is_one_error(
    benchmark: Benchmark, features: Features, models: Path, tmp_path: Path
) -> None:
    file = features()
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(CorruptArtefactError, match=r"features\.hdf5 is not a whole HDF5 file"):
        evaluated(benchmark, file, models, tmp_path / "out")


def test_without_a_usable_query_there_is_nothing_to_say(
    benchmark: Benchmark, features: Features, models: Path, tmp_path: Path
) -> None:
    file = features(q0=np.ones((4, 9, 32)), q1=None, q2=None)
    with pytest.raises(InputError, match=r"no query can be used: .*q0: expected features \[T, R, 64\]"):
        evaluated(benchmark, file, models, tmp_path / "out")


def test_folders_of_models_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError, match="dns weights import"):
        load_networks(tmp_path / "none", "reference")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingArtefactError, match="holds no coarse, fine_attention"):
        load_networks(tmp_path / "empty", "reference")
    models = write_networks(tmp_path / "models")
    (models / "coarse.other.safetensors").write_bytes((models / "coarse.t.safetensors").read_bytes())
    with pytest.raises(InputError, match=r"expected one coarse, found coarse\.other.*coarse\.t"):
        load_networks(models, "reference")


@pytest.mark.parametrize("own", ["selector.fine_binary", "selector_fine_binary"])
def test_a_fine_network_may_have_a_selector_of_its_own(tmp_path: Path, own: str) -> None:
    models = write_networks(tmp_path / "models")
    (models / "selector.t.safetensors").rename(models / f"{own}.safetensors")
    networks = load_networks(models, "corrected")
    assert set(networks.fines) == {"fine_attention", "fine_binary"}
    assert "fine_binary" in networks.numbered
