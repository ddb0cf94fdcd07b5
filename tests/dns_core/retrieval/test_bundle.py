import shutil
from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import InputError, MismatchError, MissingArtefactError
from dns_core.retrieval.bundle import Bundle


def test_a_bundle_names_what_it_holds(bundle: Bundle, other_bundle: Bundle) -> None:
    fingerprints = bundle.fingerprints
    assert sorted(fingerprints) == [
        "coarse",
        "fine_attention",
        "fine_binary",
        "selector_fine_attention",
        "selector_fine_binary",
        "teacher",
        "whitening",
    ]
    assert len(set(fingerprints.values())) == 7
    assert all(fingerprints[role] != other for role, other in other_bundle.fingerprints.items())
    models = bundle.index_models(["fine_binary"])
    assert sorted(models) == ["backbone", "coarse", "fine_binary", "selector_fine_binary", "whitening"]
    assert models["backbone"] == "backbone of 1"


def test_only_what_is_used_need_be_there(bundle: Bundle, tmp_path: Path) -> None:
    shutil.copy(bundle.folder / "coarse.safetensors", tmp_path)
    shutil.copy(bundle.folder / "whitening.safetensors", tmp_path)
    part = Bundle.load(tmp_path)
    assert part.coarse.index(np.ones((2, 9, 64), dtype=np.float32)).shape == (16,)
    assert sorted(part.fingerprints) == ["coarse", "whitening"]
    for ask in (lambda: part.calibration, lambda: part.fine("teacher"), lambda: part.selector("fine_binary")):
        with pytest.raises(MissingArtefactError):
            ask()
    with pytest.raises(MissingArtefactError):
        Bundle.load(tmp_path / "nowhere")


def test_an_unknown_or_misplaced_network_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    for ask in (lambda: bundle.fine("coarse"), lambda: bundle.selector("teacher")):
        with pytest.raises(InputError, match="none of the fine networks"):
            ask()
    with pytest.raises(
        InputError, match="'teacher' is none of the fine networks fine_binary, fine_attention"
    ):
        bundle.index_models(["teacher"])
    shutil.copy(bundle.folder / "coarse.safetensors", tmp_path / "fine_binary.safetensors")
    with pytest.raises(MismatchError, match="expected fine_binary, found coarse"):
        Bundle.load(tmp_path).fine("fine_binary")
