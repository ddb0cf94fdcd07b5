import pytest
import torch

from dns_core.precision import Precision, autocast

CPU = torch.device("cpu")


def product(precision: Precision) -> torch.dtype:
    one = torch.ones(2, 2)
    with autocast(precision, CPU):
        return (one @ one).dtype


@pytest.mark.parametrize(
    ("precision", "capability", "computed"),
    [
        ("bf16", "AVX512", torch.bfloat16),
        ("bf16", "AVX2", torch.float32),  # it would be emulated
        ("bf16", "DEFAULT", torch.float32),
        ("fp32", "AVX512", torch.float32),
    ],
)
def test_bfloat16_is_for_processors_that_have_it(
    precision: Precision, capability: str, computed: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert product(precision) == computed


def test_a_gpu_that_would_emulate_bfloat16_computes_in_single_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, bool] = {}

    def answer(**how: bool) -> bool:
        asked.update(how)
        return False

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", answer)
    with autocast("bf16", torch.device("cuda")):
        assert not torch.is_autocast_enabled("cuda")
    assert asked == {"including_emulation": False}
