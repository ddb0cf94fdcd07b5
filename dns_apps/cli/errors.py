"""How a command ends when it does not end well."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from dns_apps.text import printable
from dns_core.errors import DnsError
from dns_core.store.room import full_disk

FAILED = 2
"""Exit status of a command that was asked something it cannot do."""

NOT_FOUND = 1
"""Exit status of a search that found nothing, as ``grep`` has it."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""

_DENIED = {errno.EACCES, errno.EPERM}

# Extra by the package that it brings; a command that lacks one names the extra.
_EXTRAS = {
    **dict.fromkeys(("dvc", "great_expectations", "networkx", "pandas", "ruamel"), "pipeline"),
    **dict.fromkeys(("mlflow", "prefect"), "platform"),
    **dict.fromkeys(("fastapi", "multipart", "prometheus_client", "starlette", "uvicorn"), "service"),
    **dict.fromkeys(("plotly", "streamlit"), "dashboard"),
    **dict.fromkeys(("skimage", "skvideo"), "demo"),
    "boto3": "storage",
    **dict.fromkeys(("h5py", "onnx", "onnxscript", "scipy", "sklearn", "torch"), "train"),
    "pdqhash": "hashes",
    "pyarrow": "parquet",
    "ray": "cluster",
    "httpx": "client",
    "matplotlib": "plot",
}


def complain(message: str) -> None:
    """Print a message as one line on stderr; control characters are escaped."""
    sys.stderr.write(f"dns: {printable(message)}\n")
    sys.stderr.flush()


class OneLineErrors(TyperGroup):
    """A group of commands whose foreseen errors are one line each; defects keep their traceback."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """As of every command, while options are read."""
        with _one_line():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """What the command returns; foreseen errors become a line and an exit status.

        Raises:
            typer.Exit: the command could not do what it was asked (2), or was interrupted (130).
        """
        with _one_line():
            return super().invoke(ctx)


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except DnsError as error:
        complain(str(error))
        raise typer.Exit(FAILED) from error
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        complain(f"{package} is not installed: pip install 'distill-and-select[{_EXTRAS[package]}]'")
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt as error:
        complain("interrupted; what was finished is kept")
        raise typer.Exit(INTERRUPTED) from error
    except Exception as error:
        said = full_disk(error) or _denied(error)
        if not said:
            raise
        complain(said)
        raise typer.Exit(FAILED) from error


def _denied(error: Exception) -> str:
    """Which file may not be used; the disk and its permissions are the user's to repair."""
    if isinstance(error, OSError) and error.errno in _DENIED:
        return f"{error.filename or 'a file'}: {error.strerror}"
    return ""
