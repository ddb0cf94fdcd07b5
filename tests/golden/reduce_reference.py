"""Makes tests/golden/reference: of the parity fixtures and public annotation files, what is small.

    python tests/golden/reduce_reference.py PARITY_DIR ANNOTATIONS_DIR

The names of files and keys stay, so that one set of tests reads the whole fixtures (DNS_PARITY_DIR) or these.
Left out: features and weights, which a rule rebuilds; large arrays whose smaller neighbours say the same;
the half of ``fivr.pickle`` that FIVR-5K does not need.
"""

import pickle
import shutil
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent / "reference"
LARGEST_BYTES = {"fine_grained.npz": 150_000, "teacher.npz": 80_000, "coarse_grained.npz": 30_000}
LIMIT_BYTES = 300_000
WHOLE = ("manifest.json", "metrics.json", "training.json", "data.json", "augment.json")
VIDEO = ("12fps.mp4", "25fps.mp4", "2997fps.mp4", "frames.npz", "video.json")
ANNOTATIONS = ("cc_web_video.pickle", "evve.pickle", "svd_test_groundtruth.txt")


def main(parity: Path, annotations: Path) -> None:
    """Write the folder anew."""
    for folder in ("video", "annotations"):
        (ROOT / folder).mkdir(parents=True, exist_ok=True)
    for file in sorted(parity.glob("*.npz")):
        if file.name != "features.npz":
            _reduce(file, LARGEST_BYTES.get(file.name, LIMIT_BYTES))
    for name in (*WHOLE, *(f"video/{name}" for name in VIDEO)):
        shutil.copyfile(parity / name, ROOT / name)
    for name in ANNOTATIONS:
        shutil.copyfile(annotations / name, ROOT / "annotations" / name)
    _reduce_fivr(annotations / "fivr.pickle")


def _reduce(file: Path, largest_bytes: int) -> None:
    with np.load(file) as arrays:
        kept = {name: arrays[name] for name in arrays.files if arrays[name].nbytes <= largest_bytes}
    np.savez_compressed(ROOT / file.name, **kept)


def _reduce_fivr(file: Path) -> None:
    # Run on the published file by whoever makes the fixtures; the tests themselves read it as plain data.
    content = pickle.loads(file.read_bytes())
    part = content["5k"]
    database = set(part["database"]) | {"ND", "DS", "CS", "IS", "DA"}
    annotation = {
        query: {
            label: [v for v in videos if v in database]
            for label, videos in content["annotation"][query].items()
        }
        for query in part["queries"]
    }
    reduced = {
        "5k": {"queries": list(part["queries"]), "database": set(part["database"])},
        "annotation": annotation,
    }
    (ROOT / "annotations" / file.name).write_bytes(pickle.dumps(reduced, 4))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
