"""Lists of PDQ and vPDQ hashes as files, in the forms that ThreatExchange's tools write.

Read, under any file name:

* lines ``pdq HASH`` or ``vpdq [...]`` (Python package, exchange of a local file); a hash alone;
* CSV: ``hash,quality,name`` (PDQ's photo hasher), ``frame,quality,hash,time`` or ``hash,quality,time``
  (vPDQ's tools; the file is one video), ``hash,id,date,tags`` (the package's cache, ``.te``);
* JSON: the page of an answer of the API (``{"data": [{"id", "type", "indicator"}]}``), such entries alone,
  one a line too, a list of hashes, and the features of one video, of old or new form.

Written are the first and the API's form.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dns_core.errors import InputError
from dns_core.hashes.signals import Signal, frame_of, pdq_of
from dns_core.store.atomic import atomic_file
from dns_core.video.pdq import FrameHash

FORMS = (".txt", ".json")
"""Names of files that `write_list` writes."""
LISTS = (*FORMS, ".jsonl", ".csv", ".te")
"""Names of files that are taken for lists."""
_TYPES = {"pdq": "HASH_PDQ", "vpdq": "vpdq"}
_DIGITS = 64
_PARTS = (("hash", ""), ("quality", "100"), ("timestamp", "0"), ("frame", "0"))
csv.field_size_limit(1 << 27)  # a cell may hold all frames of a film


@dataclass(slots=True)
class HashList:
    """What was read of a file.

    Attributes:
        signals: in order.
        refused: what is no hash, with its place and why.
    """

    signals: list[Signal] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def read_list(path: Path) -> HashList:
    """The signals of a list; what is no hash is named, and the rest is read.

    Raises:
        InputError: the file cannot be read, or holds no hash.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected a list of hashes as text, found {error}") from error
    found, frames = HashList(), list[FrameHash]()
    for number, read in enumerate(_items(text), start=1):
        try:
            entry = read(f"{path.stem}:{number}")
        except InputError as error:
            found.refused.append(f"{path}, entry {number}: {error}")
            continue
        found.signals.append(entry) if isinstance(entry, Signal) else frames.append(entry)
    if frames:
        found.signals.append(Signal(path.stem, tuple(frames)))
    if not found.signals:
        why = found.refused[0] if found.refused else "it is empty"
        raise InputError(f"{path}: expected PDQ or vPDQ hashes, found none: {why}")
    return found


def write_list(path: Path, signals: Sequence[Signal]) -> None:
    """Write a list, whole or not at all, in the form that its name says.

    Args:
        path: ends in one of `FORMS`; only JSON has a place for names.
        signals: the entries.

    Raises:
        InputError: the name says no form.
    """
    if path.suffix.lower() not in FORMS:
        raise InputError(f"{path}: expected a name that ends in {', '.join(FORMS)}")
    with atomic_file(path) as temporary:
        if path.suffix.lower() == ".json":
            rows = [{"id": one.name, "type": _TYPES[one.kind], "indicator": one.text} for one in signals]
            temporary.write_text(json.dumps({"data": rows}, indent=1) + "\n", encoding="utf-8")
        else:
            lines = (f"{signal.kind} {signal.text}\n" for signal in signals)
            temporary.write_text("".join(lines), encoding="utf-8")


def _items(text: str) -> Iterator[Callable[[str], Signal | FrameHash]]:
    """What reads each entry, given a name for one that has none: lines, or values of JSON."""
    if not text.lstrip().startswith(("{", "[")):
        return (partial(_of_line, line.strip()) for line in text.splitlines() if line.strip())
    try:
        values = _values(json.loads(text))
    except ValueError:
        return (partial(_of_json_line, line) for line in text.splitlines() if line.strip())
    return (partial(_of_json, value) for value in values)


def _values(content: Any) -> list[Any]:
    """The entries of a document of JSON."""
    if isinstance(content, dict) and isinstance(content.get("data"), list):
        content = content["data"]
    if isinstance(content, dict) and "indicator" not in content:  # vPDQ's older form: frames by their number
        return [{**value, "frame": frame} for frame, value in content.items() if isinstance(value, dict)]
    return content if isinstance(content, list) else [content]


def _of_line(line: str, name: str) -> Signal | FrameHash:
    kind, _, rest = line.partition(" ")
    if kind in _TYPES:
        return _of_indicator(rest.strip(), name)
    cells = [cell.strip() for cell in next(csv.reader([line]))]
    if len(cells) == 4 and len(cells[2]) == _DIGITS:
        return frame_of(cells[2], cells[1], cells[3], cells[0])
    if len(cells) == 3 and _is_figure(cells[2]):
        return frame_of(*cells)
    if len(cells) == 2 or len(cells) == 3:
        return pdq_of(cells[2] if len(cells) == 3 else name, cells[0], cells[1])
    return _of_indicator(cells[0], cells[1] if len(cells) > 3 else name)


def _of_json_line(line: str, name: str) -> Signal | FrameHash:
    try:
        return _of_json(json.loads(line), name)
    except ValueError as error:
        raise InputError(f"expected JSON, found {line[:70]!r}") from error


def _of_json(value: Any, name: str) -> Signal | FrameHash:
    if isinstance(value, dict) and "indicator" in value:
        return _of_indicator(str(value["indicator"]), str(value.get("id") or name))
    if isinstance(value, dict) and "hash" in value:
        parts = (str(value.get(key, least)) for key, least in _PARTS)
        return frame_of(*parts)
    if isinstance(value, list):
        return Signal(name, tuple(_of_feature(str(feature)) for feature in value))
    text = str(value)
    return _of_feature(text) if "," in text else pdq_of(name, text)


def _of_indicator(text: str, name: str) -> Signal:
    """An entry as the API and the package have it: a hash, or JSON of the features of a video."""
    if not text.startswith("["):
        return pdq_of(name, text)
    try:
        return Signal(name, tuple(_of_feature(str(feature)) for feature in json.loads(text)))
    except ValueError as error:
        raise InputError(f"expected a list of features as JSON, found {text[:70]!r}") from error


def _of_feature(text: str) -> FrameHash:
    parts = text.split(",")
    if len(parts) != 3:
        raise InputError(f"expected hash, quality and time, found {text[:90]!r}")
    return frame_of(*parts)


def _is_figure(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()
