"""A value of a JSON file that knows where it stands, so that a complaint can say so."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dns_core.errors import GroundTruthError

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Checked:
    """One value of a JSON file: every way of reading it says what was expected when it is not that.

    Attributes:
        file: the file it comes from.
        key: where it stands in the file, for example ``queries.q1.mp4.labels``; empty at the top.
        value: what was parsed.
    """

    file: Path
    key: str
    value: Any

    @classmethod
    def read(cls, file: Path) -> "Checked":
        """The whole content of a JSON file.

        Raises:
            GroundTruthError: the file cannot be read, or is not JSON.
        """
        try:
            text = file.read_text(encoding="utf-8")
            return cls(file, "", json.loads(text, object_pairs_hook=_object))
        except OSError as error:
            raise GroundTruthError(f"{file}: expected a readable file, found: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise GroundTruthError(f"{file}: expected JSON, found: {error}") from error

    def refuse(self, expected: str, found: str | None = None) -> GroundTruthError:
        """The error that names the file, the key, what was expected and what was found."""
        shown = found if found is not None else repr(self.value)
        if len(shown) > _LONGEST_SHOWN:
            shown = shown[:_LONGEST_SHOWN] + "..."
        return GroundTruthError(f"{self.file}: {self.key or 'top level'}: expected {expected}, found {shown}")

    def child(self, name: str) -> "Checked":
        """The value under ``name``, which must be there."""
        if not isinstance(self.value, dict):
            raise self.refuse("an object")
        if name not in self.value:
            raise self.refuse(f"a key {name!r}", f"only {sorted(self.value)}")
        return self._inner(name)

    def only(self, *names: str) -> None:
        """Nothing is true of the value but that its keys are among ``names``: a misspelt key is an error."""
        unknown = sorted(set(dict(self.items())) - set(names))
        if unknown:
            raise self.refuse(f"no keys but {sorted(names)}", f"{unknown}")

    def items(self) -> Iterator[tuple[str, "Checked"]]:
        """Keys and values of an object, in the file's order."""
        if not isinstance(self.value, dict):
            raise self.refuse("an object")
        return ((name, self._inner(name)) for name in self.value)

    def elements(self) -> list["Checked"]:
        """Elements of a list, in the file's order."""
        if not isinstance(self.value, list):
            raise self.refuse("a list")
        return [Checked(self.file, f"{self.key}[{i}]", value) for i, value in enumerate(self.value)]

    def string(self) -> str:
        """The value, which is a string that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.refuse("a string that is not empty")
        return self.value

    def strings(self) -> tuple[str, ...]:
        """The value, which is a list of different strings."""
        if isinstance(self.value, list) and all(isinstance(v, str) and v for v in self.value):
            found = tuple(self.value)  # the usual case, without a node for each of 200,000 ids
        else:
            found = tuple(element.string() for element in self.elements())
        repeated = [name for name, n in Counter(found).items() if n > 1]
        if repeated:
            raise self.refuse("different strings", f"{repeated} more than once")
        return found

    def truth(self) -> bool:
        """The value, which is true or false."""
        if not isinstance(self.value, bool):
            raise self.refuse("true or false")
        return self.value

    def seconds(self) -> float:
        """The value, which is a finite number of at least 0."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.refuse("a number of seconds")
        if not (math.isfinite(self.value) and self.value >= 0):
            raise self.refuse("a finite number of seconds, at least 0")
        return float(self.value)

    def _inner(self, name: str) -> "Checked":
        return Checked(self.file, f"{self.key}.{name}" if self.key else name, self.value[name])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ; by itself the parser would keep the last of two without a word."""
    repeated = [name for name, n in Counter(name for name, _ in pairs).items() if n > 1]
    if repeated:
        raise ValueError(f"the key {repeated[0]!r} twice in one object")
    return dict(pairs)
