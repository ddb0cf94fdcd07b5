"""What stages write can be drawn."""

import json
from pathlib import Path

from dns_ops.figures import drawn

WRITTEN = {
    "training/coarse.json": {"train_losses": [2.0, 1.0], "validation_losses": [3.0, 2.5], "best_epoch": 1},
    "trade_off.json": [{"method": "coarse", "seconds_per_query": 0.1, "map": 0.5}],
    "models/calibration.json": {"scales": {"teacher": {"match": {"slope": 2.0, "intercept": -1.0}}}},
    "split.json": {},
}


def test_losses_curve_and_calibration_are_drawn_and_other_files_are_not(tmp_path: Path) -> None:
    titles = []
    for name, content in WRITTEN.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
        for title, figure in drawn(path):
            figure.savefig(tmp_path / f"{title}.png")
            titles.append((title, len(figure.axes[0].lines)))
    assert titles == [("loss_coarse", 3), ("trade_off", 1), ("calibration", 1)]
