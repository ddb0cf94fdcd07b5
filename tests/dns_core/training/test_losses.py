import math

import pytest
import torch

from dns_core.training.losses import distillation_loss, hard_negative_loss, info_nce, rescaled

NONE = torch.zeros(2, 2, dtype=torch.bool)


def test_info_nce_of_equal_similarities_is_the_log_of_the_batch() -> None:
    loss = info_nce(torch.zeros(2, 2), NONE, temperature=0.1)
    assert loss.item() == pytest.approx(math.log(2))


def test_info_nce_matches_the_softmax_written_out() -> None:
    similarities = torch.tensor([[0.5, 0.1], [-0.2, 0.4]])
    weights = (similarities / 0.2).exp()
    rows = -(weights.diagonal() / weights.sum(1)).log().mean()
    columns = -(weights.diagonal() / weights.sum(0)).log().mean()
    assert info_nce(similarities, NONE, temperature=0.2).item() == pytest.approx((rows + columns).item() / 2)


def test_ignored_pairs_do_not_count() -> None:
    ignored = torch.tensor([[False, True], [True, False]])
    similarities = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert info_nce(similarities, ignored, temperature=0.03).item() == pytest.approx(0, abs=1e-6)
    alone = hard_negative_loss(similarities, ignored, margin=0.01)
    assert alone.item() == pytest.approx(-math.log(0.5) - math.log(0.99))


def test_the_hardest_negative_decides() -> None:
    similarities = torch.tensor([[1.0, -1.0, 0.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    none = torch.zeros(3, 3, dtype=torch.bool)
    expected = -math.log(0.99) - (math.log(0.5) + 2 * math.log(0.99)) / 3
    assert hard_negative_loss(similarities, none, margin=0.01).item() == pytest.approx(expected)


def test_distillation_is_the_mean_absolute_difference() -> None:
    assert distillation_loss(torch.tensor([0.5, -1.0]), torch.tensor([0.0, -0.5])).item() == 0.5


def test_a_coarse_student_need_not_learn_the_teachers_scale() -> None:
    student = torch.tensor([0.1, 0.4, 0.2, 0.9], requires_grad=True)
    assert torch.allclose(rescaled(student, 3 * student.detach() - 1), 3 * student - 1, atol=1e-4)


def test_a_student_whose_order_is_wrong_is_not_turned_round() -> None:
    student = torch.tensor([0.1, 0.4, 0.9])
    found = rescaled(student, -student)
    assert found.argsort().tolist() == [0, 1, 2]
    assert found.mean().item() == pytest.approx(-student.mean().item(), abs=1e-6)
