"""Makes tests/golden/pdq/reference.json: hashes of drawn pictures and of the clips by the reference.

    pip install vpdq==0.2.5 threatexchange==1.2.17   (FFmpeg's headers, cmake and a C++ compiler are needed)
    python -m tests.golden.make_hashes

Pictures are hashed as ``threatexchange hash photo`` does, clips as ``vpdq.computeHash``; ``list`` is the text
that the package's `vpdq_to_json` makes of the first clip.
"""

import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import vpdq
from threatexchange.extensions.vpdq.vpdq_brute_matcher import match_VPDQ_hash_brute
from threatexchange.extensions.vpdq.vpdq_util import VpdqCompactFeature, hash_file_compact, vpdq_to_json
from threatexchange.signal_type.pdq.pdq_hasher import pdq_from_file

from tests.oracles.drawn_pictures import write_pictures

FOLDER = Path(__file__).parent / "pdq"
THRESHOLDS = 50, 31


def main() -> None:
    """Write the file anew."""
    clips = sorted(FOLDER.glob("*.mp4"))
    with tempfile.TemporaryDirectory() as folder:
        pictures = {path.name: pdq_from_file(path) for path in write_pictures(Path(folder))}
    compact = {clip.name: hash_file_compact(str(clip)) for clip in clips}
    reference = {
        "made_by": {name: version(name) for name in ("vpdq", "pdqhash", "threatexchange")},
        "pictures": pictures,
        "clips": {
            clip.name: [[f.frame_number, f.quality, f.hex, f.timestamp] for f in vpdq.computeHash(str(clip))]
            for clip in clips
        },
        "list": vpdq_to_json(compact[clips[0].name]),
        "shares": [[a, b, *shares(compact[a], compact[b])] for a in compact for b in compact],
    }
    (FOLDER / "reference.json").write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


def shares(query: list[VpdqCompactFeature], target: list[VpdqCompactFeature]) -> tuple[float, float]:
    """Percent of either clip's frames that are in the other; 0 where no frame is good enough."""
    try:
        found = match_VPDQ_hash_brute(query, target, *THRESHOLDS)
    except ZeroDivisionError:
        return 0.0, 0.0
    return found.query_match_percent, found.compared_match_percent


if __name__ == "__main__":
    main()
