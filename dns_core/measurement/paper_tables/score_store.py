"""Scores of a long evaluation on disk: written as they come, so that a stopped run resumes.

One array a quantity, a row a video of the database; a state a row says whether it is done. Rows are
flushed before their states, so that what is called done is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError
from dns_core.records import Quarantined
from dns_core.store.atomic import atomic_folder, read_json, write_json
from dns_core.store.fingerprints import fingerprint_json

PENDING, COMPARED, UNUSABLE = 0, 1, 2

FloatArray = npt.NDArray[np.floating[Any]]
_STATES, _CARD = "states", "ledger.json"


class ScoreStore:
    """Rows of named arrays, done or pending.

    Args:
        folder: for these files alone; what another evaluation left there is removed.
        settings: everything that the scores depend on.
        n_rows: videos of the database.
        widths: columns of each array by name.

    Raises:
        InputError: the folder holds other files.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, Any], n_rows: int, widths: Mapping[str, int]
    ) -> None:
        self.folder = folder
        self._fingerprint = fingerprint_json([dict(settings), n_rows, dict(widths)])
        if not self._goes_on():
            self._begin(n_rows, widths)
        self._arrays = {name: _open(folder / f"{name}.npy") for name in widths}
        self._states: np.memmap[Any, Any] = _open(folder / f"{_STATES}.npy")
        content = read_json(self._card)
        self.unusable = {row["video_id"]: Quarantined(**row) for row in content["unusable"]}
        self.totals: dict[str, float] = content["totals"]

    @property
    def states(self) -> npt.NDArray[np.uint8]:
        """``[V]`` state of each row."""
        return np.asarray(self._states)

    def array(self, name: str) -> FloatArray:
        """``[V, width]`` rows; what is not `COMPARED` means nothing."""
        return self._arrays[name]

    def add(self, totals: Mapping[str, float]) -> None:
        """Add to the sums over rows (seconds, bytes); they count once `save` is called."""
        for name, value in totals.items():
            self.totals[name] = self.totals.get(name, 0.0) + value

    def save(self, compared: Sequence[int], unusable: Mapping[int, Quarantined]) -> None:
        """Mark rows as done and flush them with the sums to the disk."""
        for array in self._arrays.values():
            array.flush()
        self.unusable |= {row.video_id: row for row in unusable.values()}
        # A run that is stopped between the two compares a few rows again and counts their time twice.
        write_json(self._card, self._content(self.unusable, self.totals))
        self._states[list(compared)] = COMPARED
        self._states[list(unusable)] = UNUSABLE
        self._states.flush()

    @property
    def _card(self) -> Path:
        return self.folder / _CARD

    def _begin(self, n_rows: int, widths: Mapping[str, int]) -> None:
        """Nothing is done yet; the scores of another evaluation are gone, other files are not touched."""
        if self.folder.exists() and not self._card.exists() and any(self.folder.iterdir()):
            raise InputError(f"{self.folder}: expected a folder for scores alone, found other files in it")
        with atomic_folder(self.folder) as temporary:
            for name, width in widths.items():
                _create(temporary / f"{name}.npy", (n_rows, width), np.float32)
            _create(temporary / f"{_STATES}.npy", (n_rows,), np.uint8)
            write_json(temporary / _CARD, self._content({}, {}))

    def _goes_on(self) -> bool:
        try:
            return bool(read_json(self._card)["fingerprint"] == self._fingerprint)
        except (MissingArtefactError, CorruptArtefactError, KeyError, TypeError):
            return False

    def _content(self, unusable: Mapping[str, Quarantined], totals: Mapping[str, float]) -> dict[str, Any]:
        rows = [asdict(row) for _, row in sorted(unusable.items())]
        return {"fingerprint": self._fingerprint, "unusable": rows, "totals": dict(totals)}


def _create(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape).flush()


def _open(path: Path) -> "np.memmap[Any, Any]":
    return np.lib.format.open_memmap(path, mode="r+")
