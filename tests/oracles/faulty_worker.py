"""A worker of which some tasks end, or hang, the process that does them."""

import os
import time
from pathlib import Path

from threadpoolctl import threadpool_info

from dns_core.errors import MismatchError, VideoError
from dns_core.fleet import Json, Place, Task, Work

WORK = Work("tests.oracles.faulty_worker:FaultyWorker", {"add": 100})


class FaultyWorker:
    def __init__(self, settings: Json, place: Place) -> None:
        if settings.get("refuses"):
            raise MismatchError("models", "these", "others")
        self._add, self._threads = settings["add"], place.threads

    def do(self, task: Task) -> Json:
        if "log" in task.facts:
            with Path(task.facts["log"]).open("a") as file:
                file.write(f"{task.id}\n")
        time.sleep(task.facts.get("seconds", 0.0))
        if task.id.startswith("exits"):
            os._exit(3)
        if task.id.startswith("hangs"):
            time.sleep(3600)
        if task.id.startswith("dies once"):
            mark = Path(task.facts["mark"])
            if not mark.exists():
                mark.touch()
                os._exit(9)
        if task.id.startswith("refused"):
            raise VideoError("corrupt", "it is refused")
        threads = [os.environ.get(name) for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")]
        blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        return {"sum": self._add + len(task.id), "pid": os.getpid(), "threads": threads, "blas": max(blas)}

    def close(self) -> None:
        pass
