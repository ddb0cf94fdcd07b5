"""Stops the services that `dns up` had started when it was killed in the middle.

Standard input brings the name of each service before it is started, and an empty line at the end.
"""

import sys
from pathlib import Path

from dns_ops.platform.supervisord import Supervisord


def main() -> None:
    """Wait for the end of standard input; stop what was named if no empty line came."""
    words = [line.rstrip("\n") for line in sys.stdin]
    if words and not words[-1]:
        return
    daemon = Supervisord(Path(sys.argv[1]))
    for name in reversed(words):
        daemon.stop(name)
    if not daemon.names():
        daemon.end()


if __name__ == "__main__":
    main()
