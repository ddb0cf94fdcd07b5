"""A coarse student learns the teacher's order on any scale; a fine one the teacher's very scores."""

from typing import cast

import pytest
import torch
from torch.fx.experimental import _config

from dns_core.models.coarse import CoarseConfig, CoarseStudent
from dns_core.models.fine import FineStudent
from dns_core.models.registry import build_network
from dns_core.training import distillation
from dns_core.training.batches import FeatureSet, padded
from dns_core.training.data_parallel import DataParallel
from dns_core.training.distillation import DistillationConfig, LabelledPair, Student, StudentObjective
from dns_core.training.initialisation import start_as_mean
from dns_core.training.losses import distillation_loss, rescaled
from dns_core.training.mining import Pool
from tests.oracles.slow_twins import similarities_in_training

CONFIG = DistillationConfig(
    batch_triplets=4, window_frames=64, augmentation_probability=0, regularisation_weight=0
)


def coarse() -> CoarseStudent:
    return CoarseStudent(CoarseConfig(dims=64, transformer=False, netvlad=False))


def objective(student: Student, corpus: FeatureSet, slope: float, offset: float) -> StudentObjective:
    """A student that learns, and is judged by, `labelled_pairs`."""
    pairs = labelled_pairs(corpus, slope, offset)
    return StudentObjective(student, corpus, train=pairs, validation=pairs, config=CONFIG, seed=1)


def labelled_pairs(corpus: FeatureSet, slope: float, offset: float) -> list[LabelledPair]:
    """Pairs whose similarity is a line of the cosine of mean vectors."""
    with torch.inference_mode():
        vectors = {i: coarse_mean(corpus, i) for i in corpus.ids}
    anchors = [f"v{n}.mp4" for n in range(8)]
    drawn: list[tuple[str, str, Pool]] = [(anchor, f"{anchor}#0", "near") for anchor in anchors]
    drawn += [(anchor, "v10.mp4", "far") for anchor in anchors]
    return [
        LabelledPair(*pair, slope * float(vectors[pair[0]] @ vectors[pair[1]]) + offset) for pair in drawn
    ]


def coarse_mean(corpus: FeatureSet, video_id: str) -> torch.Tensor:
    frames = torch.from_numpy(corpus.regions(video_id)).sum(1)
    mean = torch.nn.functional.normalize(frames, dim=-1).mean(0)
    return torch.nn.functional.normalize(mean, dim=-1)


def test_a_coarse_student_starts_as_the_mean_vector(corpus: FeatureSet) -> None:
    student = coarse()
    start_as_mean(student)
    regions = torch.from_numpy(corpus.regions("v0.mp4"))
    assert torch.allclose(student.index(regions[None])[0], coarse_mean(corpus, "v0.mp4"), atol=1e-6)


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (2.0, -0.9)])
def test_a_coarse_student_that_has_the_order_has_nothing_to_learn(
    corpus: FeatureSet, slope: float, offset: float
) -> None:
    student = coarse()
    start_as_mean(student)
    learning = objective(student, corpus, slope, offset)
    with torch.inference_mode():
        assert learning.validation_loss() == pytest.approx(0, abs=1e-4)
        for batch in learning.batches(0):
            assert learning.loss(batch).item() == pytest.approx(0, abs=1e-4)


def test_a_fine_student_learns_the_scores_themselves(corpus: FeatureSet) -> None:
    torch.manual_seed(0)
    student = FineStudent(64, attention=True).eval()
    here, moved = (objective(student, corpus, 0.0, offset) for offset in (0.5, 0.6))
    with torch.inference_mode():
        assert moved.validation_loss() != pytest.approx(here.validation_loss(), abs=1e-3)


def test_a_student_learns_on_the_device_that_it_is_on(
    corpus: FeatureSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning = objective(coarse().to("meta"), corpus, 1.0, 0.0)
    (batch, *_) = learning.batches(0)
    tensors = [
        batch.similarities,
        batch.places,
        *(t for group in batch.groups for t in (group.anchors, group.target_mask)),
    ]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    # That device cannot count which frames are there: it takes all.
    monkeypatch.setattr("dns_core.models.coarse._lengths", lambda mask: [mask.shape[1]] * len(mask))
    with _config.patch(meta_nonzero_assume_all_nonzero=True):  # type: ignore[attr-defined]
        assert learning.loss(batch).device.type == "meta"


@pytest.mark.parametrize("binary", [False, True])
def test_pairs_in_groups_of_like_length_teach_what_they_teach_together(
    corpus: FeatureSet, binary: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for bucket in (4, 10_000):
        monkeypatch.setattr(distillation, "_BUCKET_FRAMES", bucket)
        torch.manual_seed(0)
        student = FineStudent(64, attention=not binary, binarization=binary)
        student.eval()  # no noise in the codes
        learning = objective(student, corpus, 1.0, 0.0)
        (batch, *_) = learning.batches(0)
        loss = learning.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad.flatten() for p in student.visil_head.parameters() if p.grad is not None]
        found.append((len(batch.groups), loss.item(), torch.cat(gradients)))
    (n_groups, loss_apart, apart), (one, loss_together, together) = found
    assert n_groups > one == 1
    assert loss_apart == pytest.approx(loss_together, abs=1e-6)
    assert torch.allclose(apart, together, atol=1e-5)


@pytest.mark.parametrize("name", ["fine_attention", "fine_binary", "coarse"])
def test_a_student_is_as_far_from_its_teacher_as_the_slow_twin_says(
    corpus: FeatureSet, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distillation, "_BUCKET_FRAMES", 4)
    torch.manual_seed(0)
    student = cast("Student", build_network(name, {"dims": 64})).eval()
    pairs = labelled_pairs(corpus, 1.0, 0.0)
    anchors, targets = (
        padded([corpus.regions(i) for i in ids])
        for ids in zip(*((p.anchor, p.target) for p in pairs), strict=True)
    )
    wanted = torch.tensor([pair.similarity for pair in pairs])
    with torch.inference_mode():
        found = similarities_in_training(student, anchors, targets)
        twin = distillation_loss(rescaled(found, wanted) if name == "coarse" else found, wanted)
        fast = objective(student, corpus, 1.0, 0.0).validation_loss()
    assert found.std() > 1e-4
    assert fast == pytest.approx(twin.item(), abs=1e-5)


def test_the_shares_of_replicas_make_up_a_batch() -> None:
    for n, count in ((32, 3), (5, 2), (1, 4)):
        rows = [list(range(n))[DataParallel(rank, count).share(n)] for rank in range(count)]
        assert [row for share in rows for row in share] == list(range(n))
        assert max(map(len, rows)) - min(map(len, rows)) <= 1
    assert DataParallel(0, 2).is_leader
    assert not DataParallel(1, 2).is_leader
