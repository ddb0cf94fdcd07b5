"""``dns up``, ``dns down`` and ``dns status``: the services of the platform on this machine."""

import signal
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dns_apps.cli.options import Json
from dns_apps.cli.output import print_json, print_line, print_table
from dns_core.errors import InputError

if TYPE_CHECKING:
    from dns_apps.service.schemas import HolderRow
    from dns_ops.platform.supervisor import Supervisor


def up(
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Start the head of a Ray cluster too (DNS_CLUSTER_HOST).")
    ] = False,
) -> None:
    """Start every service, wait until each is healthy, and print the addresses."""
    if cluster:
        _require_ray()
    from dns_ops.platform.password import make_password, password_file
    from dns_ops.platform.services import make_store
    from dns_ops.settings import load_settings

    root = Path.cwd()
    # Told to end, it stops what it has started, as it does after Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    make_password(root)
    make_store(root, load_settings(root))
    _supervisor(print_line, cluster=cluster).up()
    print_line(f"user:password of Prefect's and MLflow's pages: the line in {password_file(root)}")


def down() -> None:
    """Stop every service that `dns up` started, and nothing else."""
    _supervisor(print_line).down()


def status(json: Json = False) -> None:
    """Show which services run and which machines hold the index; the exit status is 1 if one does not."""
    from dns_ops.platform.services import CLUSTER

    with_cluster = _supervisor(print_line).was_started(CLUSTER)
    states = list(_supervisor(print_line, cluster=with_cluster).states())
    holders = _holders()
    if json:
        print_json([asdict(state) for state in states] + [row.model_dump() for row in holders])
    else:
        rows = [(s.name, s.state, s.address, str(s.pid) if s.pid else "") for s in states]
        print_table("", ["service", "state", "address", ">process"], rows)
        _print_holders(holders)
    if any(state.state != "running" for state in states) or any(row.state != "ready" for row in holders):
        raise typer.Exit(1)


def _holders() -> "tuple[HolderRow, ...]":
    """Machines that search the index, as the query service knows them; none if there is no service."""
    from dns_ops.settings import load_settings

    settings = load_settings(Path.cwd())
    if not settings.serve.holders:
        return ()
    from dns_apps.service.client import Client
    from dns_apps.service.client_errors import ServiceError

    try:
        with Client(settings.query_service(), settings.service_token.get_secret_value() or None) as service:
            return service.index().holders
    except ServiceError as error:
        print_line(f"holders: {error}")
        return ()


def _print_holders(holders: "tuple[HolderRow, ...]") -> None:
    if not holders:
        return
    figures = ("process", "version", "lag", "n_videos")
    rows = [
        (row.name, row.state, row.host, *(str(getattr(row, name)) for name in figures), row.problem)
        for row in holders
    ]
    columns = ["holder", "state", "machine", ">process", ">version", ">behind", ">videos", "problem"]
    print_table("", columns, rows)


def worker(
    cluster: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Describe videos for the Ray cluster with its head there."),
    ] = "",
) -> None:
    """Train for a platform elsewhere: take its training stages, until Ctrl-C.

    PREFECT_API_URL names its server, and DNS_TRACKING_URI its MLflow. Files come and go by DVC's remote.
    With --cluster, describe videos instead; RAY_AUTH_TOKEN has the cluster's token.
    """
    if cluster:
        _join(cluster)
    import os

    from dns_ops.http_probe import connection_problem
    from dns_ops.platform.services import gpu_worker_command, gpu_worker_environment
    from dns_ops.settings import load_settings

    root = Path.cwd()
    environment = gpu_worker_environment(root, load_settings(root))
    address = environment["PREFECT_API_URL"]
    if problem := connection_problem(f"{address}/health"):
        raise InputError(f"the Prefect server at {address} {problem}; PREFECT_API_URL names another")
    command = gpu_worker_command()
    os.execve(command[0], command, environment)  # noqa: S606 - this process becomes the worker


def _join(address: str) -> NoReturn:
    import os

    from dns_ops.fleet.choosing import usual_workers
    from dns_ops.fleet.connection import cluster_environment, node_command, require_head
    from dns_ops.settings import load_settings, make_platform_folder

    _require_ray()
    require_head(address)
    settings = load_settings(Path.cwd())
    command = node_command(address, settings.workers or usual_workers())
    environment = {**os.environ, **cluster_environment(make_platform_folder(Path.cwd()))}
    os.execve(command[0], command, environment)  # noqa: S606 - this process becomes the node


def _require_ray() -> None:
    if find_spec("ray") is None:
        raise InputError("ray is not installed: pip install 'distill-and-select[cluster]'")


def _supervisor(say: Callable[[str], object], *, cluster: bool = False) -> "Supervisor":
    from dns_ops.platform.services import cluster_head, enabled_services
    from dns_ops.platform.supervisor import Supervisor
    from dns_ops.settings import load_settings

    root = Path.cwd()
    settings = load_settings(root)
    services = enabled_services(root, settings)
    if cluster:
        services = (*services, cluster_head(root, settings))
    return Supervisor(root, services, say)
