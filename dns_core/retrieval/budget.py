"""How much re-ranking a search may do."""

import math
import re
from dataclasses import dataclass
from typing import Self

from dns_core.errors import ParamsError

_FORM = re.compile(r"(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<ms>ms)?")
# Products such as .07 * 100 = 7.000000000000001 must not cost a candidate.
_ROUNDING = 1e-9


DEFAULT_BUDGET = "0.3"
"""Share of the index that a query re-ranks unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A share of the candidates, or milliseconds of fine comparison; one of the two.

    Attributes:
        share: in [0, 1]; 0 is the coarse ranking, 1 the fine one.
        ms: over 0; fine comparison continues block by block until they are used, so that it may run over
            by one block.
    """

    share: float | None = None
    ms: float | None = None

    def __post_init__(self) -> None:
        if (self.share is None) == (self.ms is None):
            raise ParamsError("a budget is a share of the candidates or milliseconds, one of the two")
        if self.share is not None and not 0 <= self.share <= 1:
            raise ParamsError(f"a budget's share must be between 0 and 1, got {self.share}")
        if self.ms is not None and not 0 < self.ms < math.inf:
            raise ParamsError(f"a budget's milliseconds must be over 0, got {self.ms}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The budget that ``text`` says: ``0.3`` is 30 % of the candidates, ``50ms`` is a time.

        Raises:
            ParamsError: it says neither, or is out of range.

        Example:
            >>> Budget.parse("0.3")
            Budget(share=0.3, ms=None)
            >>> Budget.parse("50ms")
            Budget(share=None, ms=50.0)
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ParamsError(f"a budget looks like 0.3 or 50ms, got {text!r}")
        number = float(found["number"])
        return cls(ms=number) if found["ms"] else cls(share=number)

    def count(self, n_candidates: int) -> int:
        """How many candidates may be re-ranked at most: all of them if the limit is a time.

        A share over 0 is rounded up, so that it always buys something (the reference rounds down, and
        loses one candidate to floating point for many sizes).
        """
        if self.share is None:
            return n_candidates
        return math.ceil(self.share * n_candidates - _ROUNDING)
