"""``dns check``: is this machine ready, and are the models and the index in order."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dns_apps.cli.errors import FAILED
from dns_apps.cli.options import Json, Models
from dns_apps.cli.output import print_json, print_table
from dns_apps.text import size
from dns_core.errors import DnsError, MissingArtefactError

if TYPE_CHECKING:
    from dns_core.features.cards import BackboneCard
    from dns_ops.settings import Settings

PACKAGES = (
    "distill-and-select", "onnxruntime", "numpy", "av", "faiss-cpu", "numba", "safetensors", "pydantic",
    "typer", "rich", "torch", "h5py", "scikit-learn", "pyarrow", "dvc", "matplotlib", "mlflow",
)  # fmt: skip
OPTIONAL = {"dvc", "h5py", "matplotlib", "mlflow", "pyarrow", "scikit-learn", "torch"}

State = Literal["ok", "absent", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table: ``absent`` is only a remark, ``broken`` makes the command fail."""

    part: str
    state: State
    found: str


def check(
    models: Models = None,
    index: Annotated[Path, typer.Option(metavar="INDEX", help="Folder of the index.")] = Path(
        "artifacts/index"
    ),
    json: Json = False,
) -> None:
    """Show what is installed, what the machine has, and whether models and index are in order."""
    from dns_core.search import models_folder

    findings = [
        *_software(),
        *_machine(),
        *_settings(Path.cwd()),
        *_weights(),
        *_models(models_folder(models)),
        *_index(index),
    ]
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table("", ["part", "state", "found"], [(f.part, f.state, f.found) for f in findings])
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(FAILED)


def _software() -> Iterator[Finding]:
    yield Finding("Python", "ok", f"{platform.python_version()} at {sys.executable}")
    for package in PACKAGES:
        try:
            yield Finding(package, "ok", version(package))
        except PackageNotFoundError:
            yield Finding(package, "absent" if package in OPTIONAL else "broken", "not installed")


def _machine() -> Iterator[Finding]:
    import psutil

    from dns_core.cores import n_threads, usable_cores

    cores = f"{usable_cores()} of {os.cpu_count()} cores usable (affinity, quota)"
    yield Finding("CPU", "ok", f"{platform.machine()}, {cores}")
    yield Finding("threads", "ok", f"searches and indexing use {n_threads()}")
    yield _gpu()
    memory = psutil.virtual_memory()
    yield Finding("memory", "ok", f"{size(memory.available)} of {size(memory.total)} available")
    disk = shutil.disk_usage(Path.cwd())
    yield Finding("disk", "ok", f"{size(disk.free)} of {size(disk.total)} free here")


def _gpu() -> Finding:
    if find_spec("torch") is None:
        return Finding("GPU", "absent", "needs torch: pip install 'distill-and-select[train]'")
    import torch

    if torch.cuda.is_available():
        return Finding("GPU", "ok", torch.cuda.get_device_name())
    return Finding("GPU", "absent", "none that torch can use; everything runs on the CPU")


def _settings(root: Path) -> Iterator[Finding]:
    from dns_ops.settings import SettingsError, load_settings, unknown_names

    for name in unknown_names(os.environ):
        yield Finding(name, "absent", "no setting of this software is called so")
    try:
        settings = load_settings(root)
        yield Finding("device", "ok", f"{settings.device}: {settings.torch_device()}")
    except SettingsError as error:
        yield Finding("settings", "broken", str(error))
    else:
        yield _tracking(settings.tracking_store(root))
        yield _flows(settings)
        yield _bucket(settings)


def _flows(settings: "Settings") -> Finding:
    """The server of `dns up` may be down; one that somebody named may not."""
    from dns_ops.http_probe import connection_problem, printable_uri
    from dns_ops.platform.services import prefect_api

    named = os.environ.get("PREFECT_API_URL", "")
    address = named or prefect_api(settings)
    if not (problem := connection_problem(f"{address}/health")):
        return Finding("flows", "ok", printable_uri(address))
    if named:
        return Finding("flows", "broken", f"{printable_uri(address)} {problem}")
    return Finding("flows", "absent", "no Prefect server runs here; `dns up` starts one")


def _bucket(settings: "Settings") -> Finding:
    if not settings.s3_bucket:
        return Finding("bucket", "absent", "DNS_S3_BUCKET names none")
    if find_spec("boto3") is None:
        return Finding("bucket", "broken", "not installed: pip install 'distill-and-select[storage]'")
    from dns_ops.storage.bucket import Bucket

    try:
        Bucket(settings, attempts=1).require()
    except DnsError as error:
        return Finding("bucket", "broken", str(error))
    where = f" at {settings.s3_endpoint_url}" if settings.s3_endpoint_url else ""
    return Finding("bucket", "ok", f"{settings.s3_bucket}{where}")


def _tracking(uri: str) -> Finding:
    from dns_ops.http_probe import connection_problem, printable_uri

    if not uri:
        return Finding("tracking", "absent", "runs and models are not recorded")
    problem = connection_problem(f"{uri}/health") if uri.startswith("http") else ""
    return Finding("tracking", "broken" if problem else "ok", f"{printable_uri(uri)} {problem}".rstrip())


def _weights() -> Iterator[Finding]:
    from dns_core.features.cards import BACKBONES

    for card in BACKBONES.values():
        part = f"weights {card.name}"
        try:
            yield Finding(part, "ok", str(_located(card)))
        except MissingArtefactError as error:
            optional = card.extra or card.weights_url
            yield Finding(part, "absent" if optional else "broken", str(error))


def _located(card: "BackboneCard") -> Path:
    """Where the weights are; looking never fetches them."""
    if find_spec("torch") is None:
        raise MissingArtefactError("not needed without torch: bundles have their backbone")
    import torch

    from dns_core.features.pretrained import PublishedWeights

    if not card.weights_url:
        return PublishedWeights(card).locate(card.name)
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(card.weights_url).name
    if not path.is_file():
        raise MissingArtefactError("not here yet; fetched when first used")
    return path


def _models(folder: Path) -> Iterator[Finding]:
    from dns_core.retrieval.bundle import BACKGROUND_FILE, Bundle

    if not folder.is_dir():
        yield Finding("models", "absent", f"no folder {folder}; `dns reproduce` trains them")
        return
    bundle = Bundle.load(folder)
    for path in sorted(set(folder.glob("*.safetensors")) - {folder / BACKGROUND_FILE}):
        try:
            yield Finding(f"model {path.stem}", "ok", f"fingerprint {bundle.fingerprint(path.stem)}")
        except DnsError as error:
            yield Finding(f"model {path.stem}", "broken", str(error))
    try:
        stages = ", ".join(sorted(bundle.calibration.scales))
        yield Finding(
            "calibration", "ok", f"of {stages}, with {len(bundle.background.videos)} background videos"
        )
    except MissingArtefactError as error:
        yield Finding("calibration", "absent", str(error))
    except DnsError as error:
        yield Finding("calibration", "broken", str(error))


def _index(folder: Path) -> Iterator[Finding]:
    from dns_core.index import index_info

    try:
        info = index_info(folder)
    except MissingArtefactError:
        yield Finding("index", "absent", f"none at {folder}; `dns index build` makes one")
    except DnsError as error:
        yield Finding("index", "broken", str(error))
    else:
        yield Finding(
            "index",
            "ok",
            f"{folder}: {info.n_videos} videos, {info.n_quarantined} quarantined, {size(info.n_bytes)}",
        )
