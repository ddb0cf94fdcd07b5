"""The environment of a stage's process."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

# glibc keeps the buffers of networks for the next ones: returned and requested again, their pages cost a
# stage a tenth of its time.
_KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 31)}


def stage_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with ``variables``, in which the shell finds ``dns`` as stages call it."""
    binaries = Path(sys.executable).parent
    return {
        **_KEPT_MEMORY,
        **os.environ,
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
        **variables,
    }
