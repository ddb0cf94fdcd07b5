"""The decoder process of the core, and videos that by their names end it, hang, eat memory, or are slow."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dns_core.decoding import decoder

SLOW_S = 0.3
PROGRAM = "tests.oracles.faulty_decoder"


def _faulty(read: Any) -> Any:
    def task(path: Path, asked: dict[str, Any]) -> Any:
        if path.name == "exits.mp4":
            os._exit(1)
        if path.name == "hangs.mp4":
            time.sleep(3600)
        if path.name == "eats.mp4":
            eaten = []
            while True:
                eaten.append(bytearray(64 << 20))
        return _slowly(read(path, asked)) if path.name == "slow.mp4" else read(path, asked)

    return task


def _slowly(answers: Iterator[Any]) -> Iterator[Any]:
    for answer in answers:
        time.sleep(SLOW_S)
        yield answer


if __name__ == "__main__":
    decoder.TASKS.update({name: _faulty(read) for name, read in decoder.TASKS.items()})
    decoder.main()
