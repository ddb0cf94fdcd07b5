"""A child process that ends with its parent, however the parent ends."""

import os
import threading
import time

_POLL_S = 1.0


def end_with_parent() -> None:
    """End this process soon after its parent: a background thread looks for another parent.

    A process that waits for its parent's next message ends by itself; one at work would go on.
    """
    threading.Thread(target=_watch, args=(os.getppid(),), name="end-with-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os._exit(1)
