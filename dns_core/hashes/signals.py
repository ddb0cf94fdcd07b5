"""What a list of hashes holds, and its form as text.

A signal is what ThreatExchange calls one entry: of a picture its PDQ hash, of a video its vPDQ hash, which is
the PDQ hashes of its frames.
"""

import json
import re
from dataclasses import dataclass
from typing import Literal

from dns_core.errors import InputError
from dns_core.video.pdq import FrameHash

Kind = Literal["pdq", "vpdq"]

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Signal:
    """An entry of a list.

    Attributes:
        name: of the file, or what the list calls it.
        frames: hashes; one of a picture.
        kind: ``pdq`` of a picture, ``vpdq`` of a video.
    """

    name: str
    frames: tuple[FrameHash, ...]
    kind: Kind = "vpdq"

    @property
    def text(self) -> str:
        """The entry as ThreatExchange's Python package writes it; it has no place for the name.

        Example:
            >>> Signal("a", (FrameHash(64 * "0", 90, 1.0),)).text[:12]
            '["0000000000'
        """
        if self.kind == "pdq":
            return self.frames[0].hex
        return json.dumps([f"{one.hex},{one.quality},{one.time_s:.3f}" for one in self.frames])


def pdq_of(name: str, text: str, quality: str = "100") -> Signal:
    """The signal of a picture.

    Raises:
        InputError: it is no hash.
    """
    return Signal(name, (frame_of(text, quality),), "pdq")


def frame_of(text: str, quality: str = "100", time_s: str = "0", frame: str = "0") -> FrameHash:
    """A hash of which all parts are text.

    Raises:
        InputError: a part is not what it should be.
    """
    digits = text.strip().lower()
    try:
        found = FrameHash(digits, int(quality), float(time_s), int(frame))
    except (TypeError, ValueError):
        raise InputError(f"expected quality and time as figures, found {quality!r}, {time_s!r}") from None
    if not _HEX.fullmatch(digits):
        raise InputError(f"expected a PDQ hash of 64 hexadecimal digits, found {digits[:70]!r}")
    if not (0 <= found.quality <= 100 and 0 <= found.time_s < float("inf")):
        raise InputError(f"expected a quality of 0 to 100 and a time of 0 or more, found {quality}, {time_s}")
    return found
