import pytest

from dns_core.errors import ParamsError
from dns_core.retrieval.budget import Budget


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Budget(share=0)),
        ("1", Budget(share=1)),
        ("0.3", Budget(share=0.3)),
        (".05", Budget(share=0.05)),
        (" 50ms ", Budget(ms=50)),
        ("2.5 ms", Budget(ms=2.5)),
    ],
)
def test_a_share_or_a_time_is_understood(text: str, expected: Budget) -> None:
    assert Budget.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "30%", "1.01", "-0.1", "nan", "inf", "0ms", "-5ms", "50 s", "ms", "1e-3", "0,3", "٣"]
)
def test_anything_else_is_an_error_that_says_what_is_wrong(text: str) -> None:
    with pytest.raises(ParamsError, match="budget"):
        Budget.parse(text)


@pytest.mark.parametrize(
    "arguments", [{}, {"share": 0.1, "ms": 5.0}, {"ms": float("inf")}, {"share": float("nan")}]
)
def test_a_budget_is_one_number_in_range(arguments: dict[str, float]) -> None:
    with pytest.raises(ParamsError):
        Budget(**arguments)


def test_a_share_buys_the_exact_count_for_every_size() -> None:
    for n in range(5001):
        for hundredths in (0, 1, 7, 29, 35, 57, 58, 100):
            expected = -(-n * hundredths // 100)
            assert Budget(share=hundredths / 100).count(n) == expected


def test_a_time_does_not_limit_the_count() -> None:
    assert Budget(ms=1).count(123) == 123
