"""The services of the platform on one machine: which there are, and how each is started.

A service is a command, an address of this machine and a page that answers once it is healthy. To add one,
write a function like those below and put it into `SERVICES`.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from dns_core.errors import InputError
from dns_ops.fleet.choosing import usual_workers
from dns_ops.fleet.connection import cluster_environment, head_command
from dns_ops.pipeline.environment import stage_environment
from dns_ops.platform.password import read_password
from dns_ops.settings import SQLITE, Settings, make_platform_folder, platform_folder

HOST = "127.0.0.1"
CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Service:
    """One process of the platform.

    Attributes:
        name: in tables, and of its log.
        command: program and arguments.
        port: that it listens on; 0 if on none.
        health: path below the address that answers with success when it is healthy; empty if it has none,
            and then it is healthy while it runs.
        prepare: commands that are run to their end before it starts, and once those before it are healthy.
        environment: variables besides those of this process.
        private: what it writes is its own state, for this user alone; else it writes to the workspace.
    """

    name: str
    command: tuple[str, ...]
    port: int = 0
    health: str = ""
    prepare: tuple[tuple[str, ...], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    private: bool = True

    @property
    def address(self) -> str:
        """What a browser opens; empty if nothing is to be seen."""
        return f"http://{HOST}:{self.port}" if self.port else ""


def enabled_services(root: Path, settings: Settings) -> tuple[Service, ...]:
    """What ``dns up`` starts in this workspace with these settings, in order."""
    made = (make(root, settings) for make in SERVICES)
    return tuple(service for service in made if service is not None)


def _served(app: str, port: int) -> tuple[str, ...]:
    """Program and arguments that serve a factory of an ASGI application to this machine alone."""
    options = ("--factory", "--host", HOST, "--port", str(port), "--no-server-header")
    return (sys.executable, "-m", "uvicorn", app, *options)


def prefect_api(settings: Settings) -> str:
    """Address of the API of the Prefect server that ``dns up`` starts."""
    return f"http://{HOST}:{settings.prefect_port}/api"


def flow_environment(root: Path, settings: Settings) -> dict[str, str]:
    """Variables with which a process finds the platform's servers."""
    home = platform_folder(root).resolve() / "prefect"
    database = settings.prefect_database_url.get_secret_value()
    own = _mlflow_server(root, settings)
    password = read_password(root)
    user, _, secret = password.partition(":")
    mlflow = {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": secret} if password else {}
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": prefect_api(settings),
        **({"PREFECT_API_AUTH_STRING": password} if password else {}),
        "PREFECT_API_DATABASE_CONNECTION_URL": database or f"sqlite+aiosqlite:///{home / 'prefect.db'}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",  # its pages ask an analytics host
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        **({"DNS_TRACKING_URI": own.address, **mlflow} if own else {}),
    }


def _prefect_server(root: Path, settings: Settings) -> Service | None:
    port = settings.prefect_port
    return Service(
        name="prefect",
        command=_served("flows.prefect_app:create_app", port),
        port=port,
        health="/api/health",
        environment={
            **flow_environment(root, settings),
            "PREFECT_SERVER_API_AUTH_STRING": read_password(root),
            "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{port},http://localhost:{port}",
        },
    )


def make_store(root: Path, settings: Settings) -> None:
    """Make the workspace's own store of runs, if runs are kept in it.

    To be called before services start side by side: each opens the store, and two that make it at once fail.

    Raises:
        TrackingError: it cannot be made.
    """
    uri = settings.tracking_store(root)
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE)).exists():
        from dns_ops.tracking.store import open_tracking  # noqa: PLC0415 - MLflow takes seconds

        open_tracking(root, settings)


def _mlflow_server(root: Path, settings: Settings) -> Service | None:
    store = settings.tracking_store(root)
    if not store or store.startswith("http"):
        return None
    return Service(
        name="mlflow",
        command=_served("dns_ops.platform.mlflow_app:create_app", settings.mlflow_port),
        port=settings.mlflow_port,
        health="/health",
        environment={"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
    )


def _worker(root: Path, settings: Settings) -> Service | None:
    pool = "cpu"
    return Service(
        name=f"worker-{pool}",
        command=(sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "process"),
        prepare=((sys.executable, "-m", "flows.deployments"),),
        environment=stage_environment(flow_environment(root, settings)),
        private=False,
    )


def gpu_worker_command() -> tuple[str, ...]:
    """Program and arguments that take stages from the pool of GPUs."""
    return (sys.executable, "-m", "prefect", "worker", "start", "--pool", "gpu", "--type", "process")


def gpu_worker_environment(root: Path, settings: Settings) -> dict[str, str]:
    """Variables of a worker in this workspace; the server is that of ``PREFECT_API_URL`` if it is set."""
    found = flow_environment(root, settings)
    own = "PREFECT_API_URL" not in os.environ  # the password here is that of the server here
    of_worker = ("PREFECT_HOME", "PREFECT_API_URL", "PREFECT_WORKER_QUERY_SECONDS")
    of_own = tuple(name for name in ("PREFECT_API_AUTH_STRING",) if own and name in found)
    wanted = {name: os.environ.get(name, found[name]) for name in (*of_worker, *of_own)}
    make_platform_folder(root)
    Path(wanted["PREFECT_HOME"]).mkdir(mode=0o700, parents=True, exist_ok=True)
    return stage_environment({**wanted, "DNS_WORKSPACE": str(root.resolve())})


def dashboard_command(settings: Settings, host: str, port: int) -> tuple[str, ...]:
    """Program and arguments that serve the dashboard; it shows the folder in which it is started.

    Raises:
        InputError: the dashboard is not installed.
    """
    if find_spec("dashboards") is None or find_spec("streamlit") is None:
        raise InputError("the dashboard is not installed: pip install 'distill-and-select[dashboard]'")
    largest_mb = max(1, settings.serve.max_upload_bytes >> 20)
    options = {"address": host, "port": port, "maxUploadSize": largest_mb}
    flags = (word for name, value in options.items() for word in (f"--server.{name}", str(value)))
    return (sys.executable, "-m", "dashboards.shell", *flags)


def dashboard_environment(root: Path, settings: Settings) -> dict[str, str]:
    """Variables with which the dashboard finds the flows' server.

    MLflow's store is not among them: it is read where it lies, whether its server runs or not.
    """
    found = flow_environment(root, settings)
    return {name: value for name, value in found.items() if name.startswith("PREFECT_")}


def _dashboard(root: Path, settings: Settings) -> Service | None:
    if find_spec("streamlit") is None:
        return None
    return Service(
        name="dashboard",
        command=dashboard_command(settings, HOST, settings.dashboard_port),
        port=settings.dashboard_port,
        health="/_stcore/health",
        environment=dashboard_environment(root, settings),
    )


def cluster_head(root: Path, settings: Settings) -> Service:
    """The head of a Ray cluster on this machine; other machines join it with ``dns worker --cluster``."""
    n_cores = settings.workers or usual_workers()
    return Service(
        name=CLUSTER,
        command=head_command(settings.cluster_host, settings.cluster_port, n_cores),
        environment=cluster_environment(make_platform_folder(root)),
        private=False,
    )


def _query_service(_root: Path, settings: Settings) -> Service | None:
    if find_spec("fastapi") is None:
        return None
    return Service(
        name="query",
        command=(sys.executable, "-m", "dns_apps.service"),
        port=settings.serve.port,
        # Not /readyz: a workspace without an index yet has a service that says so.
        health="/healthz",
        environment={"DNS_SERVE_HOST": HOST},
        private=False,
    )


SERVICES: tuple[Callable[[Path, Settings], Service | None], ...] = (
    _prefect_server,
    _mlflow_server,
    _query_service,
    _dashboard,
    _worker,
)
"""Each gives a service, or None where the settings want none."""
