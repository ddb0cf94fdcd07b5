"""A step of a student's training: as this software takes it, and as the public reference does.

    python -m benchmarks.training NETWORK  # one step in this process alone; prints its peak memory

The students are the paper's, the videos as long as those that the reference was measured with: 81 frames
in the mean, 300 at most.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from benchmarks.measure import Measured, side_by_side
from dns_core.models.coarse import CoarseStudent
from dns_core.models.registry import build_network
from dns_core.store.feature_store import FeatureStore, FeatureWriter
from dns_core.training.batches import FeatureSet, padded
from dns_core.training.distillation import DistillationConfig, LabelledPair, Student, StudentObjective
from dns_core.training.losses import distillation_loss, rescaled
from dns_core.training.mining import Pool
from tests.oracles.slow_twins import similarities_in_training

NETWORKS = ("fine_attention", "fine_binary", "coarse")
_N_TRIPLETS, _LONGEST, _REGIONS, _DIMS = 16, 300, 9, 512
_CONFIG = DistillationConfig(
    batch_triplets=_N_TRIPLETS, window_frames=_LONGEST, augmentation_probability=0, regularisation_weight=0
)
# No dropout, which would draw again for the twin.
_NETWORK_CONFIGS: dict[str, dict[str, float]] = {"coarse": {"transformer_dropout": 0.0}}


def training() -> Iterator[Measured]:
    """Triplets a second of each student: features read, forward and backward, without the optimiser."""
    for name in NETWORKS:
        with _triplets(name) as triplets:
            np.testing.assert_allclose(triplets.fast_step(), triplets.slow_step(), atol=1e-4)
            times = side_by_side(triplets.fast_step, triplets.slow_step, repeats=3)
        # A fixed command whose only argument is a name of ours.
        command = [sys.executable, "-m", "benchmarks.training", name]
        peak_mb = int(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603
        yield Measured(
            f"training step, {name}",
            f"{_N_TRIPLETS} triplets of 10 to {_LONGEST} frames",
            *times,
            target=2,
            note=f"{_N_TRIPLETS / times[0] * 1000:.1f} triplets a second; peak of its process {peak_mb} MB",
        )


@dataclass(frozen=True, slots=True)
class _Triplets:
    """The pairs of one step, near and far ones of each anchor, and the student that learns from them."""

    student: Student
    features: FeatureSet
    pairs: tuple[LabelledPair, ...]

    def fast_step(self) -> float:
        objective = StudentObjective(
            self.student, self.features, train=self.pairs, validation=(), config=_CONFIG, seed=0
        )
        (batch,) = objective.batches(0)
        return _backward(objective.loss(batch))

    def slow_step(self) -> float:
        """Anchors, near and far videos are padded to the longest of each."""
        near, far = ([pair for pair in self.pairs if pair.pool == pool] for pool in ("near", "far"))
        anchors = self._padded([pair.anchor for pair in near])
        targets = [self._padded([pair.target for pair in pool]) for pool in (near, far)]
        found = torch.cat([similarities_in_training(self.student, anchors, some) for some in targets])
        wanted = torch.tensor([pair.similarity for pair in (*near, *far)])
        given = rescaled(found, wanted) if isinstance(self.student, CoarseStudent) else found
        return _backward(distillation_loss(given, wanted))

    def _padded(self, ids: list[str]) -> tuple[Tensor, Tensor]:
        return padded([self.features.regions(video_id) for video_id in ids])


def _backward(loss: Tensor) -> float:
    loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach())


@contextmanager
def _triplets(name: str) -> Iterator[_Triplets]:
    rng = np.random.default_rng(0)
    pools: tuple[Pool, ...] = ("near", "far")
    ids = [f"{role}-{n}" for role in ("anchor", *pools) for n in range(_N_TRIPLETS)]
    pairs = tuple(
        LabelledPair(f"anchor-{n}", f"{pool}-{n}", pool, float(rng.uniform(-1, 1)))
        for n in range(_N_TRIPLETS)
        for pool in pools
    )
    torch.manual_seed(0)
    student = cast("Student", build_network(name, {"dims": _DIMS, **_NETWORK_CONFIGS.get(name, {})}))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "videos.hdf5"
        writer = FeatureWriter(path, metadata={}, partial=Path(folder) / "partial")
        for video_id in ids:
            n_frames = int(np.clip(rng.gamma(1.2, 68), 10, _LONGEST))
            regions = rng.standard_normal((n_frames, _REGIONS, _DIMS), dtype=np.float32)
            regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
            writer.write(video_id, [(regions, np.arange(n_frames, dtype=np.float64))])
        writer.finish(ids)
        with FeatureStore.open(path) as store:
            yield _Triplets(student, FeatureSet([store]), pairs)


if __name__ == "__main__":
    with _triplets(sys.argv[1]) as alone:
        alone.fast_step()
    # Of this program alone: what `getrusage` calls the peak begins with that of the process that started it.
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    sys.stdout.write(str(int(peak) // 1024))
