"""Pickles that run a command when they are loaded without care."""

import os
from pathlib import Path
from typing import Any


class Command:
    """Pickled as a call of ``os.system`` that makes the file ``proof``."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.proof}'",)
