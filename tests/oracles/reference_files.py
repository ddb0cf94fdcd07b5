"""Where the reference's numbers are: the small part that is kept here, or all of them."""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_KEPT = Path(__file__).parents[1] / "golden" / "reference"
_WHOLE = os.environ.get("DNS_PARITY_DIR", "")

WHOLE = bool(_WHOLE)
"""Whether all fixtures are there, and not only the small ones."""

PARITY = Path(_WHOLE).resolve() if WHOLE else _KEPT
ANNOTATIONS = PARITY.parent / "annotations" if WHOLE else _KEPT / "annotations"


@cache
def arrays(file: str) -> Mapping[str, npt.NDArray[Any]]:
    """Arrays of one npz file by key."""
    with np.load(PARITY / file) as stored:
        return {name: stored[name] for name in stored.files}


@cache
def figures(file: str) -> Any:
    """Content of one JSON file."""
    return json.loads((PARITY / file).read_text(encoding="utf-8"))
