"""How much of what should have been compared was."""

from collections.abc import Collection


def coverage(expected: Collection[str], found: Collection[str]) -> float:
    """Share in [0, 1] of the ``expected`` ids that are among ``found``; 1 if nothing was expected.

    The denominator is what should be there: a figure without it says nothing, since a system that
    loses its hard videos looks better.

    Example:
        >>> coverage(["a", "b"], ["b", "c"])
        0.5
    """
    wanted = set(expected)
    return len(wanted & set(found)) / len(wanted) if wanted else 1.0
