"""What stages write can be drawn."""

import json
from pathlib import Path
from typing import Any

from dns_ops.tracking.plots import drawn

WRITTEN: dict[str, Any] = {
    "training/coarse.json": {"train_losses": [2.0, 1.0], "validation_losses": [3.0, 2.5], "best_epoch": 1},
    "trade_off.json": [{"method": "coarse", "seconds_per_query": 0.1, "map": 0.5}],
    "models/calibration.json": {"scales": {"teacher": {"match": {"slope": 2.0, "intercept": -1.0}}}},
    "training/selector_fine_binary.json": {
        "train_losses": [1.0],
        "validation_losses": [1.0],
        "best_epoch": 0,
        "roc": {"selector": {"false_positive_rate": [0, 1], "true_positive_rate": [0, 1], "area": 0.5}},
    },
    "report.json": {
        "methods": [
            {"method": "teacher"},
            {"method": "coarse", "reliability": [{"predicted": 0.1, "observed": 0.2, "n_pairs": 5}]},
        ]
    },
    "split.json": {},
}


def test_what_stages_write_is_drawn_and_other_files_are_not(tmp_path: Path) -> None:
    titles = []
    for name, content in WRITTEN.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
        for title, figure in drawn(path):
            figure.savefig(tmp_path / f"{title}.png")
            titles.append((title, len(figure.axes[0].lines)))
    assert titles == [
        ("loss_coarse", 3), ("trade_off", 1), ("calibration", 1),
        ("loss_selector_fine_binary", 3), ("roc_selector_fine_binary", 2), ("reliability", 2),
    ]  # fmt: skip
