"""MLflow's server as an ASGI application, behind the guard and a password; ``dns up`` has uvicorn serve it.

``mlflow server`` starts uvicorn with an application of its own, in a second process: neither can be guarded,
and the second survives when the first is killed.
"""

import os
from pathlib import Path

from dns_ops.browser_guard import BrowserGuard, Visitors, host_names
from dns_ops.platform.password import require_password
from dns_ops.settings import load_settings, platform_folder


def create_app() -> BrowserGuard:
    """MLflow over the store of the workspace that is the working directory.

    Raises:
        MissingArtefactError: there is no password.
    """
    root = Path.cwd()
    settings = load_settings(root)
    password = require_password(root)
    hosts = host_names(settings.allowed_hosts)
    _configure(settings.tracking_store(root), platform_folder(root).resolve() / "mlflow-artifacts", hosts)
    from mlflow.server.fastapi_app import app  # noqa: PLC0415 - reads the environment when it is loaded

    return BrowserGuard(app, Visitors(hosts=hosts), password=password, free_paths=("/health",))


def _configure(store: str, artifacts: Path, hosts: frozenset[str]) -> None:
    """Variables by which ``mlflow server`` hands its options on, and the store's tables."""
    from mlflow.server import constants  # noqa: PLC0415 - MLflow takes seconds
    from mlflow.server.handlers import initialize_backend_stores  # noqa: PLC0415

    root = "mlflow-artifacts:/"
    os.environ[constants.BACKEND_STORE_URI_ENV_VAR] = store
    os.environ[constants.REGISTRY_STORE_URI_ENV_VAR] = store
    os.environ[constants.ARTIFACT_ROOT_ENV_VAR] = root
    os.environ[constants.ARTIFACTS_DESTINATION_ENV_VAR] = str(artifacts)
    os.environ[constants.SERVE_ARTIFACTS_ENV_VAR] = "true"
    # MLflow checks hosts and origins itself too, and knows this machine's names.
    names = ("localhost", "127.0.0.1", *sorted(hosts))
    os.environ["MLFLOW_SERVER_ALLOWED_HOSTS"] = ",".join(f"{name},{name}:*" for name in names)
    os.environ["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] = ",".join(f"https://{name}" for name in sorted(hosts))
    initialize_backend_stores(store, store, root)
