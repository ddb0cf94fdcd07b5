"""Whether a folder is what this software wrote into it, before it is published."""

from pathlib import Path

from dns_core.index import verify_index
from dns_core.store.feature_store import FeatureStore
from dns_core.store.seal import check_seal
from dns_core.store.weights import read_weights


def require_intact(kind: str, folder: Path) -> None:
    """Check what carries digests or checksums of its own: indices, weights, features.

    Videos are the user's own and carry none.

    Args:
        kind: of tree.
        folder: what is to be published.

    Raises:
        CorruptArtefactError: a file is not what was written; the error names it.
        MissingArtefactError: there is no index.
    """
    if kind == "index":
        verify_index(folder)
    for path in sorted(folder.rglob("*")) if kind == "models" else ():
        if path.suffix == ".safetensors":
            read_weights(path)
        elif path.suffix in (".onnx", ".json"):
            check_seal(path)
    for path in sorted(folder.rglob("*.hdf5")) if kind == "features" else ():
        with FeatureStore.open(path) as store:
            for video_id in store.ids:
                store.read(video_id)
