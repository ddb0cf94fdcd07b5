"""Where the software runs: devices, servers, buckets. What changes a result stands in ``params.yaml``.

Read from variables named ``DNS_...`` and from a file ``.env`` in the workspace; a variable outranks the file.
"""

import os
import tomllib
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dns_core.cores import limit_threads
from dns_core.errors import InputError
from dns_ops.service_settings import ServiceSettings

PREFIX = "DNS_"
SQLITE = "sqlite:///"
"""Begins the address of a database that is a file."""
QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""Keeps the tools from reporting home and from drawing over our lines; holds for all that is started too."""

Device = Literal["auto", "cpu", "cuda"]

# of NVIDIA, of Windows' subsystem for Linux, and of AMD
_GPU_DEVICES = ("nvidia[0-9]*", "dxg", "kfd")


class SettingsError(InputError):
    """A variable of the environment or of ``.env`` is unknown or has a value that cannot be."""


class Settings(BaseSettings):
    """Validated settings of a workspace; `make docs` lists them as variables.

    Attributes:
        device: where networks run; ``auto`` takes a GPU that torch can use, else the CPU.
        threads: that compute in one process; 0 is as many as the cores that it may use (affinity and quota).
        tracking_uri: MLflow's store or server; empty is the workspace's own, ``off`` records nothing.
        workers: processes that describe videos side by side, of one thread each; 0 is as many as cores and
            memory carry.
        cluster: what describes videos: empty, this machine's cores; ``local``, a Ray cluster of
            this machine's own; ``HOST:6379``, the cluster with its head there.
        cluster_host: address on which the head that ``dns up --cluster`` starts listens.
        cluster_port: its port.
        decoder_memory_bytes: address space of a process that decodes videos of an archive.
        decoder_timeout_s: seconds after which a decoder that gives no frame is stopped; tried three times.
        prefect_port: port of the Prefect server that ``dns up`` starts.
        prefect_database_url: where that server keeps flows and runs; empty is a file of the workspace.
        mlflow_port: port of the MLflow server that ``dns up`` starts, unless ``tracking_uri`` names another.
        service_url: address of the query service that the dashboard uses; empty is the one of this machine.
        service_token: token that the dashboard sends to the query service; empty is none.
        dashboard_token: token that remote visitors of the dashboard must present.
        dashboard_users: users that may sign in to the dashboard: addresses, or domains as
            ``@example.org``, separated by commas; empty is all.
        dashboard_port: port of the dashboard that ``dns up`` starts.
        s3_bucket: bucket of `dns storage` and DVC; empty is none.
        s3_endpoint_url: address of an S3-compatible server; empty is Amazon's.
        stage_timeout_s: longest time of a stage in a flow; then it is stopped.
        allowed_hosts: names besides this machine's own by which browsers reach the servers, for example
            that of a proxy with TLS, with commas between.
        workspace: folder of a worker; set by ``dns worker``, not by people.
        parent_run: the run that a stage belongs to; set by the software, not by people.
        serve: of the query service; ``DNS_SERVE_PORT`` is its ``port``.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_nested_delimiter="_", env_nested_max_split=1
    )

    device: Device = "auto"
    threads: int = Field(default=0, ge=0)
    tracking_uri: str = ""
    workers: int = Field(default=0, ge=0)
    cluster: str = ""
    cluster_host: str = "127.0.0.1"
    cluster_port: int = Field(default=6379, ge=1, le=65535)
    decoder_memory_bytes: int = Field(default=4 << 30, ge=1 << 29)
    decoder_timeout_s: float = Field(default=300, gt=0)
    prefect_port: int = Field(default=4200, ge=1, le=65535)
    prefect_database_url: SecretStr = SecretStr("")
    mlflow_port: int = Field(default=5000, ge=1, le=65535)
    service_url: str = ""
    service_token: SecretStr = SecretStr("")
    dashboard_token: SecretStr = SecretStr("")
    dashboard_users: str = ""
    dashboard_port: int = Field(default=8501, ge=1, le=65535)
    s3_bucket: str = ""
    s3_endpoint_url: str = Field(default="", pattern=r"^(https?://.+)?$")
    stage_timeout_s: float = Field(default=7 * 24 * 3600, gt=0)
    allowed_hosts: str = ""
    workspace: str = ""
    parent_run: str = ""
    serve: ServiceSettings = ServiceSettings()

    def query_service(self) -> str:
        """Address of the query service."""
        return self.service_url or f"http://127.0.0.1:{self.serve.port}"

    def dashboard(self, page: str) -> str:
        """Address of a page of this machine's dashboard."""
        return f"http://127.0.0.1:{self.dashboard_port}/{page}"

    def tracking_store(self, root: Path) -> str:
        """Where runs and models are recorded; empty if nowhere, for it is off or MLflow is not installed."""
        if self.tracking_uri == "off" or (not self.tracking_uri and find_spec("mlflow") is None):
            return ""
        return self.tracking_uri or f"{SQLITE}{platform_folder(root).resolve() / 'mlflow.db'}"

    def torch_device(self) -> str:
        """The torch device that ``device`` means on this machine.

        Raises:
            SettingsError: a GPU is demanded and torch can use none.
        """
        usable = _has_gpu()
        if self.device == "cuda" and not usable:
            raise SettingsError(f"{PREFIX}DEVICE=cuda: expected a GPU that torch can use, found none")
        return "cuda" if usable and self.device != "cpu" else "cpu"


def n_devices(device: str) -> int:
    """How many torch devices of a kind this machine lets us use; ``CUDA_VISIBLE_DEVICES`` limits GPUs."""
    if device != "cuda":
        return 1
    import torch  # noqa: PLC0415 - as below

    return torch.cuda.device_count()


def _has_gpu() -> bool:
    """Whether torch is there and can use a GPU; it is not loaded where the system has no device of one."""
    devices = (path for name in _GPU_DEVICES for path in Path("/dev").glob(name))
    if find_spec("torch") is None or not any(devices):
        return False
    import torch  # noqa: PLC0415 - searches run without it

    return torch.cuda.is_available()


def signs_in(root: Path) -> bool:
    """Whether the dashboard's visitors sign in: ``.streamlit/secrets.toml`` names a provider (``[auth]``).

    Raises:
        SettingsError: the file cannot be read. Streamlit would take that for a file that is not there, and
            let everybody in.
    """
    file = root / ".streamlit" / "secrets.toml"
    try:
        return file.exists() and "auth" in tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: expected TOML, found otherwise ({type(error).__name__})") from error


def load_settings(root: Path) -> Settings:
    """Settings of the workspace at ``root``; turns the tools' telemetry off.

    Raises:
        SettingsError: a name is unknown or a value cannot be; the message never shows the value.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    file = root / ".env"
    written = dotenv_values(file) if file.is_file() else {}
    unknown = unknown_names(written)
    if unknown:
        raise SettingsError(f"{file}: unknown {', '.join(unknown)}; expected {', '.join(_known())}")
    try:
        settings = Settings(_env_file=file)  # type: ignore[call-arg] # pydantic-settings' own
    except ValidationError as error:
        raise SettingsError(
            "; ".join(
                f"{PREFIX}{'_'.join(map(str, row['loc']))}".upper() + f": {row['msg'].lower()}"
                for row in error.errors()
            )
        ) from None
    limit_threads(settings.threads)
    return settings


def unknown_names(variables: Iterable[str]) -> list[str]:
    """Which of ``variables`` begin like a setting and are none; in the environment they may be others'."""
    return sorted(name for name in variables if name.startswith(PREFIX) and name not in _known())


def platform_folder(root: Path) -> Path:
    """Where the services keep what is theirs: databases, logs, process ids; never an output of a stage."""
    return root / ".platform"


def make_platform_folder(root: Path) -> Path:
    """The platform's folder, made if it is absent; readable by this user alone."""
    return make_private_folder(platform_folder(root))


def make_private_folder(folder: Path) -> Path:
    """A folder that is there now, for this user alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o777 != 0o700:  # made before, or with another umask
        folder.chmod(0o700)
    return folder


def make_private_file(file: Path) -> Path:
    """A file that is there now, in a folder and for this user alone; what it holds is left as it is."""
    make_private_folder(file.parent)
    file.touch(mode=0o600)
    if file.stat().st_mode & 0o777 != 0o600:
        file.chmod(0o600)
    return file


def _known() -> list[str]:
    own = set(Settings.model_fields) - {"serve"}
    return sorted(
        f"{PREFIX}{name}".upper() for name in (*own, *(f"serve_{n}" for n in ServiceSettings.model_fields))
    )
