"""manifest.json, features.npz, rule.py: weights and features are rebuilt to the byte."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.oracles.parity_rule import feature_set, rule_weight, sha256
from tests.oracles.reference_files import WHOLE, arrays, figures

MANIFEST = figures("manifest.json")


@pytest.mark.parametrize("model", [m for m in MANIFEST["models"] if m != "cg_default"])
def test_the_rule_rebuilds_every_weight(model: str) -> None:
    built: Mapping[str, Any] = MANIFEST["models"][model]
    for name, shape in built["shapes"].items():
        weight = np.asarray(rule_weight(name, shape, built["seed"], built["fconv_gain"]))
        assert sha256(weight) == built["sha256"][name], name


def test_the_rule_rebuilds_the_wide_features() -> None:
    wide = feature_set(3840)
    for name in ("f004", "f007", "f030"):
        assert sha256(wide[name]) == MANIFEST["sha256"][f"features3840/{name}"]


@pytest.mark.skipif(not WHOLE, reason="needs all fixtures: set DNS_PARITY_DIR")
def test_the_rule_rebuilds_the_features() -> None:
    stored = arrays("features.npz")
    built = feature_set()
    assert stored.keys() == built.keys()
    for name, video in built.items():
        np.testing.assert_array_equal(video, stored[name])
