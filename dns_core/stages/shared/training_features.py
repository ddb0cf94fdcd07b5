"""The features that every training stage reads: the unlabelled videos and their edited copies."""

from collections.abc import Iterator
from contextlib import contextmanager

from dns_core.store.feature_store import FeatureStore
from dns_core.training.batches import FeatureSet
from dns_core.workspace import Workspace


@contextmanager
def training_features(workspace: Workspace, *, limit_bytes: int = 2_000_000_000) -> Iterator[FeatureSet]:
    """Whitened features of the training videos and of their edited copies, open while inside.

    Args:
        workspace: holds them.
        limit_bytes: memory for those that are kept.

    Raises:
        MissingArtefactError: if ``fit_whitening`` has not run.
    """
    with (
        FeatureStore.open(workspace.whitened("train")) as videos,
        FeatureStore.open(workspace.whitened("views")) as views,
    ):
        yield FeatureSet([videos, views], limit_bytes=limit_bytes)
