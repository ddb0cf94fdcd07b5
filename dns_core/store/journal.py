"""Files of one JSON value a line, written a line at a time, that outlive being interrupted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def whole_lines(path: Path) -> Iterator[Any]:
    """The values of a journal; none if there is no file, and not a last line that was cut off."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            yield json.loads(line)


def write_lines(path: Path, values: list[Any]) -> None:
    """Begin a journal with these values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")


def append_line(path: Path, value: Any) -> None:
    """Write one value down at once."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(value) + "\n")
