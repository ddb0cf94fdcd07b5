"""How strongly a clip is edited, and the draws that depend on it."""

from typing import Literal, TypeVar

import numpy as np

Strength = Literal["light", "medium", "strong"]
STRENGTHS: tuple[Strength, ...] = ("light", "medium", "strong")

T = TypeVar("T")


def by_strength(strength: Strength, light: T, medium: T, strong: T) -> T:
    """The value for ``strength``; ValueError if there is no such strength."""
    return (light, medium, strong)[STRENGTHS.index(strength)]


def either_way(rng: np.random.Generator, most: float) -> float:
    """A number of random sign whose size lies in ``[most / 2, most]``: an edit that can be noticed."""
    return float(rng.choice((-1.0, 1.0)) * rng.uniform(most / 2, most))
