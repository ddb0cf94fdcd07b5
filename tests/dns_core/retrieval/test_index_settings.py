"""How videos are cut for an index is said once, in the bundle, and read by all that cut videos."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dns_core.errors import CorruptArtefactError, MissingArtefactError, ParamsError
from dns_core.index import Chunking
from dns_core.records import VideoFeatures
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.comparison import compare
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.index_settings import (
    INDEX_SETTINGS,
    IndexSettings,
    read_index_settings,
    write_index_settings,
)

MakeFeatures = Callable[[str, int], VideoFeatures]


def cut_otherwise(bundle: Bundle, folder: Path, chunking: Chunking) -> Bundle:
    shutil.copytree(bundle.folder, folder)
    write_index_settings(folder, IndexSettings(chunking))
    return Bundle.load(folder)


def test_settings_are_read_as_they_were_written(tmp_path: Path) -> None:
    settings = IndexSettings(Chunking(64, 8), merge_from=0.9)
    write_index_settings(tmp_path, settings)
    assert read_index_settings(tmp_path) == settings


def test_the_models_that_come_along_say_how_they_cut() -> None:
    assert Bundle.load(SHIPPED_MODELS).index_settings == IndexSettings(Chunking(256, 32))


def test_an_encoder_cuts_as_its_bundle_says(
    tmp_path: Path, bundle: Bundle, make_features: MakeFeatures
) -> None:
    other = cut_otherwise(bundle, tmp_path / "other", Chunking(8, 0))
    assert VideoEncoder(other).encode(make_features("a", 32)).spans.tolist() == [
        [0, 8],
        [8, 16],
        [16, 24],
        [24, 32],
    ]


def test_a_comparison_cuts_as_the_bundle_says(
    tmp_path: Path, bundle: Bundle, make_features: MakeFeatures
) -> None:
    other = cut_otherwise(bundle, tmp_path / "other", Chunking(8, 0))
    a, b = make_features("a", 40), make_features("b", 40)
    scores = [compare(a, b, models).score for models in (bundle, other)]
    assert abs(scores[0] - scores[1]) > 1e-6


def test_a_bundle_without_settings_is_refused_with_the_command_that_writes_them(
    tmp_path: Path, bundle: Bundle
) -> None:
    folder = tmp_path / "old"
    shutil.copytree(bundle.folder, folder)
    (folder / INDEX_SETTINGS).unlink()
    with pytest.raises(MissingArtefactError, match="dns stage configure_index"):
        VideoEncoder(Bundle.load(folder))


@pytest.mark.parametrize(
    "content", ["{}", '{"chunking": {"chunk_frames": 2, "overlap_frames": 0}, "merge_from": null}']
)
def test_settings_that_do_not_say_how_to_cut_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / INDEX_SETTINGS).write_text(content)
    with pytest.raises(CorruptArtefactError, match=INDEX_SETTINGS):
        read_index_settings(tmp_path)


def test_frames_are_merged_from_a_cosine_on() -> None:
    with pytest.raises(ParamsError, match=r"between 0 and 1, got 1\.5"):
        IndexSettings(Chunking(16, 4), merge_from=1.5)
