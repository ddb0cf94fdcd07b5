"""Training starts where its docstrings say: at Chamfer similarity, at the teacher, at ITQ."""

import numpy as np
import pytest
import torch

from dns_core.models.fine import FineStudent
from dns_core.models.teacher import Teacher
from dns_core.training.batches import FeatureSet, padded
from dns_core.training.initialisation import (
    sampled_regions,
    start_as_chamfer,
    start_codes,
    start_from_teacher,
)
from dns_core.training.teacher import spread_similarities


def similarities(
    network: Teacher | FineStudent, corpus: FeatureSet, query: str, targets: list[str]
) -> list[float]:
    network.eval()
    with torch.inference_mode():
        first = network.index(padded([corpus.regions(query)])[0])
        rows = [network.index(padded([corpus.regions(target)])[0]) for target in targets]
        return [float(network.pair_similarity(first, row)[0]) for row in rows]


@pytest.mark.parametrize("attention", [False, True])
def test_an_untrained_teacher_ranks_a_copy_over_a_half_copy_over_a_stranger(
    corpus: FeatureSet, sources: tuple[str, ...], attention: bool
) -> None:
    torch.manual_seed(0)
    teacher = Teacher(64, attention=attention)
    before = similarities(teacher, corpus, "v4.mp4#0", ["v4.mp4", "v5.mp4", "v8.mp4"])
    start_as_chamfer(teacher, sampled_regions(corpus, sources, 64, seed=0))
    same, half, other = similarities(teacher, corpus, "v4.mp4#0", ["v4.mp4", "v5.mp4", "v8.mp4"])
    assert same > half + 0.1
    assert half > other + 0.1
    assert before != [same, half, other]


def test_a_student_starts_near_its_teacher(corpus: FeatureSet, sources: tuple[str, ...]) -> None:
    torch.manual_seed(0)
    sample = sampled_regions(corpus, sources, 64, seed=0)
    teacher = Teacher(64, attention=False)
    start_as_chamfer(teacher, sample)
    student = FineStudent(64, attention=True)
    targets = [*sources[:4], "v0.mp4#1"]
    wanted = np.array(similarities(teacher, corpus, "v0.mp4#0", targets))
    fresh = np.abs(np.array(similarities(student, corpus, "v0.mp4#0", targets)) - wanted).mean()
    start_from_teacher(student, teacher, sample)
    started = np.abs(np.array(similarities(student, corpus, "v0.mp4#0", targets)) - wanted).mean()
    assert started < 0.25 * fresh


def test_codes_start_from_itq_and_only_binary_students_have_them(
    corpus: FeatureSet, sources: tuple[str, ...]
) -> None:
    sample = sampled_regions(corpus, sources, 256, seed=0).reshape(-1, 64)
    student = FineStudent(64, binarization=True)
    start_codes(student, sample, sigma=1e-4, seed=0)
    assert student.binarization is not None
    rotation = student.binarization.W.detach()
    torch.testing.assert_close(rotation.T @ rotation, torch.eye(64), atol=1e-4, rtol=0)
    assert student.binarization.sigma == 1e-4
    with pytest.raises(TypeError, match="binary"):
        start_codes(FineStudent(64, attention=True), sample, sigma=1e-4, seed=0)


def test_a_sample_is_seeded_and_of_the_size_asked_for(corpus: FeatureSet, sources: tuple[str, ...]) -> None:
    sample = sampled_regions(corpus, sources, 24, seed=1)
    assert sample.shape == (24, 4, 64)
    np.testing.assert_array_equal(sample, sampled_regions(corpus, sources, 24, seed=1))
    assert not np.array_equal(sample, sampled_regions(corpus, sources, 24, seed=2))


def test_spreading_moves_copies_and_unrelated_videos_apart_and_keeps_their_order(corpus: FeatureSet) -> None:
    torch.manual_seed(0)
    teacher = Teacher(64, attention=False)
    start_as_chamfer(teacher, corpus.regions("v0.mp4"))
    with torch.no_grad():  # a narrow band, as InfoNCE leaves it
        teacher.video_comperator.fconv.weight.mul_(0.1)
    ids = ["v0.mp4", "v1.mp4", "v6.mp4", "v8.mp4"]
    before = similarities(teacher, corpus, "v0.mp4#0", ids)
    spread_similarities(teacher, np.array(before[:1], np.float32), np.array(before[2:], np.float32))
    after = similarities(teacher, corpus, "v0.mp4#0", ids)
    assert np.argsort(before).tolist() == np.argsort(after).tolist()
    # Windows inside a copy go beyond 1 and are clipped, so the mean with those at its ends stays below .9.
    assert 0.7 < after[0] < 0.92
    assert np.median(after[2:]) == pytest.approx(-0.8, abs=0.02)
