"""Every file and every key of the fixtures is looked at by a test that is named here."""

import re
from pathlib import Path

import pytest

from tests.oracles.reference_files import PARITY, WHOLE, arrays

HERE = Path(__file__).parent

# File, the test that reads it, and what its keys look like there.
ARRAYS: dict[str, tuple[str, str]] = {
    "fine_grained.npz": (
        "test_fine.py",
        r"(att|bin|none)/(pairs|(f2f|raw|htanh)/f\d+_f\d+|chunked/\d+|batch/(masked|padded_nomask|only_query_mask"
        r"|f2f_pair01|f2f_mask_pair01|raw|pooled_mask|htanh_pair01|all5_masked|f2f_batched_pair1|t3_masked))"
        r"|(att|bin)/index/f\d+(_head8|_framesum)?|att/weights/f\d+|bin/(erf_train/f007|zero_region_(index|self))",
    ),
    "coarse_grained.npz": (
        "test_coarse.py",
        r"cg_\w+/(index|index_masked_batch|index_padded_nomask|sims|stage_(sum_norm|transformer|netvlad)/f030)",
    ),
    "selector.npz": (
        "test_selector.py",
        r"index|index_masked_batch|index_padded_nomask|(f2f|raw)/f030|features|scores|order",
    ),
    "teacher.npz": (
        "test_teacher.py",
        r"teacher\w+/(pairs|(f2f|raw)/f\d+_f\d+|(index|attention)/f030|paired_batch|index_f007_framesum)"
        r"|l2constrain/(in|out)|nonneg/out",
    ),
    "layers.npz": (
        "test_layers.py",
        r"vlad_(full|red)/(param/.+|r[13]/(x|mask|y|y_mask))|triplet/.+|simreg/.+|chamfer/.+|tensordot/.+"
        r"|rmac(_wide)?/.+|normalizer/(in|out)|pca/.+|regions/.+",
    ),
    "training.npz": (
        "test_training.py",
        r"student/(masks|similarities)|\w+/(train|eval)/(pos|neg|grad/.+)"
        r"|selector/(features|pred|labels|sims|buffers_after/.+)",
    ),
    "data.npz": ("test_data.py", r"collate_(student|selector|eval)/(in|out)/.+|dataset/\d_\w+"),
    "evaluation_dns_att.npz": (
        "test_evaluation.py",
        "queries|database|all_db|coarse|fine|selector_scores|pct35|table",
    ),
    "evaluation_dns_bin.npz": (
        "test_evaluation.py",
        "queries|database|all_db|coarse|fine|selector_scores|pct35|table",
    ),
    "features.npz": ("test_manifest.py", r"f\d+"),
    "video/frames.npz": ("test_video.py", r"\w+/(default|cc64_rs80)"),
}
OTHERS: dict[str, str] = {
    "manifest.json": "test_manifest.py",
    "training.json": "test_training.py",
    "data.json": "test_data.py",
    "augment.json": "test_data.py",
    "metrics.json": "test_metrics.py",
    "video/video.json": "test_video.py",
    "rule.py": "test_manifest.py",
    "fivr_subset.py": "test_evaluation.py",
    "README.md": "test_coverage.py",
    "QUIRKS.md": "test_coverage.py",
}
FOLDERS = {"weights": "test_weights.py", "annotations": "test_metrics.py", "video": "test_video.py"}


@pytest.mark.parametrize("file", [name for name in ARRAYS if (PARITY / name).exists()])
def test_every_key_is_looked_at(file: str) -> None:
    module, pattern = ARRAYS[file]
    assert [name for name in arrays(file) if not re.fullmatch(pattern, name)] == []
    assert Path(file).name.partition(".")[0] in (HERE / module).read_text()


def test_every_file_is_looked_at() -> None:
    files = {str(path.relative_to(PARITY)) for path in PARITY.rglob("*") if path.is_file()}
    left = files - ARRAYS.keys() - OTHERS.keys()
    assert {name for name in left if name.split("/")[0] not in FOLDERS} == set()
    assert all((HERE / module).exists() for module in (*OTHERS.values(), *FOLDERS.values()))


@pytest.mark.skipif(not WHOLE, reason="needs all fixtures: set DNS_PARITY_DIR")
def test_nothing_is_listed_that_is_not_there() -> None:
    assert [name for name in (*ARRAYS, *OTHERS) if not (PARITY / name).exists()] == []
