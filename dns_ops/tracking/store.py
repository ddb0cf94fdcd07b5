"""The store of runs and models: MLflow's, in the workspace itself or on a server.

The workspace's own store is a file, which ``dns up`` also serves, so that what was recorded without a
server is seen with one.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import gaierror

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from dns_core.errors import DnsError
from dns_ops.http_probe import printable_uri
from dns_ops.settings import (
    SQLITE,
    Settings,
    make_platform_folder,
    make_private_file,
    make_private_folder,
)

EXPERIMENT = "distill-and-select"
# A server that is down should be noticed in seconds; the defaults try for minutes.
_IMPATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


class TrackingError(DnsError):
    """The store of runs cannot be reached or does not accept what it is told."""


@dataclass(frozen=True, slots=True)
class Tracking:
    """An open store of runs.

    Attributes:
        client: speaks to the store.
        uri: where it is.
        experiment_id: of the one experiment that holds all runs.
    """

    client: MlflowClient
    uri: str
    experiment_id: str


def open_tracking(root: Path, settings: Settings) -> Tracking:
    """Open the store of runs and models; create the workspace's own one if it is missing.

    Raises:
        TrackingError: the store cannot be reached, or there is to be none.
    """
    uri = settings.tracking_store(root)
    if not uri:
        raise TrackingError("runs and models are not kept: DNS_TRACKING_URI is off")
    for name, value in _IMPATIENCE.items():
        os.environ.setdefault(name, value)
    # The first lines of a new database say nothing about training.
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    own = _make_own_folders(root, uri)
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    with tracking_errors(f"the store of runs at {printable_uri(uri)} cannot be used"):
        return Tracking(client, uri, _experiment(client, own))


@contextmanager
def tracking_errors(what: str) -> Iterator[None]:
    """Context that turns MLflow's errors into a one-line `TrackingError` that begins with ``what``."""
    try:
        yield
    except (MlflowException, OSError) as error:
        raise TrackingError(f"{what}: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """First line of an error's message, or its class name; for a lost connection, the cause."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ConnectionError | TimeoutError | gaierror):
        cause = cause.__cause__ or cause.__context__
    return next(iter(str(cause or error).splitlines()), type(error).__name__)


def _make_own_folders(root: Path, uri: str) -> Path | None:
    """Where artifacts lie if the store is a file; they and a store in the workspace are this user's alone."""
    own = make_platform_folder(root).resolve()
    if not uri.startswith(SQLITE):
        return None
    if (database := Path(uri.removeprefix(SQLITE))).parent == own:
        make_private_file(database)  # SQLite gives its other files the same mode
    return make_private_folder(own / "mlflow-artifacts")


def _experiment(client: MlflowClient, artifacts: Path | None) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    location = artifacts.as_uri() if artifacts else None
    return str(client.create_experiment(EXPERIMENT, artifact_location=location))
