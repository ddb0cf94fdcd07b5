"""Registry of bundles: all models of one training run are one version; runs must never be mixed."""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.store.fingerprints import fingerprint_file, fingerprint_json
from dns_core.workspace import Workspace
from dns_ops.provenance import code_commit, data_version
from dns_ops.quality.verdict import NEVER_JUDGED, verdict_on_data
from dns_ops.releases.release import CHAMPION
from dns_ops.tracking.store import Tracking, tracking_errors

BUNDLE = "dns-bundle"
CHALLENGER = "challenger"
_FINGERPRINT_TAG, _VERDICT_TAG = "dns.bundle", "dns.data_verdict"


@dataclass(frozen=True, slots=True)
class BundleVersion:
    """A registered bundle.

    Attributes:
        version: MLflow's number of it.
        fingerprint: of all its files.
        data_version: of the videos that it was trained on.
        commit: of the code that trained it.
        run_id: of the parent run that made it.
        aliases: ``challenger``, ``champion`` or none.
        data_verdict: what was said of those videos before it was trained; see `dns_ops.quality.verdict`.
    """

    version: int
    fingerprint: str
    data_version: str
    commit: str
    run_id: str
    aliases: tuple[str, ...]
    data_verdict: str = NEVER_JUDGED


def bundle_fingerprint(models: Path) -> str:
    """Fingerprint of the files of a bundle; equal bundles have equal ones.

    Raises:
        MissingArtefactError: there is no bundle.
    """
    files = sorted(path for path in models.glob("*") if path.is_file())
    if not files:
        raise MissingArtefactError(f"{models}: expected a bundle, found no file; has the pipeline run?")
    return fingerprint_json({path.name: fingerprint_file(path) for path in files})


def register_bundle(root: Path, models: Path, tracking: Tracking, run_id: str) -> BundleVersion:
    """Register the bundle in ``models`` as the challenger, unless it is known; returns its version.

    Args:
        root: the workspace, for its commit and data version.
        models: the folder of the bundle.
        tracking: the store.
        run_id: of the run that made it.

    Raises:
        MissingArtefactError: there is no bundle.
        TrackingError: the store does not take it.
    """
    fingerprint = bundle_fingerprint(models)
    for known in bundle_versions(tracking):
        if known.fingerprint == fingerprint:
            return known
    tags = {
        _FINGERPRINT_TAG: fingerprint,
        "dns.data_version": data_version(root),
        "dns.commit": code_commit(root),
        _VERDICT_TAG: verdict_on_data(Workspace(root).quality_folder),
    }
    client = tracking.client
    with tracking_errors("the bundle could not be registered"):
        model_id, source = _log_model(models, tracking, run_id)
        if not client.search_registered_models(f"name = '{BUNDLE}'"):
            client.create_registered_model(BUNDLE)
        made = client.create_model_version(BUNDLE, source, run_id=run_id, tags=tags, model_id=model_id)
        client.set_registered_model_alias(BUNDLE, CHALLENGER, made.version)
    return next(known for known in bundle_versions(tracking) if known.version == int(made.version))


def bundle_versions(tracking: Tracking) -> list[BundleVersion]:
    """Every registered version, the newest first.

    Raises:
        TrackingError: the store cannot be read.
    """
    with tracking_errors("the registry of bundles cannot be read"):
        registered = tracking.client.search_registered_models(f"name = '{BUNDLE}'")
        aliases: dict[str, str] = dict(registered[0].aliases) if registered else {}
        found = tracking.client.search_model_versions(f"name = '{BUNDLE}'")
    versions = [_version(row, aliases) for row in found]
    return sorted(versions, key=lambda row: row.version, reverse=True)


def registered_bundle(tracking: Tracking, version: int) -> BundleVersion:
    """What the registry says of a version.

    Raises:
        MissingArtefactError: there is none of that number.
        TrackingError: the store cannot be read.
    """
    found = next((row for row in bundle_versions(tracking) if row.version == version), None)
    if found is None:
        raise MissingArtefactError(f"{BUNDLE}: there is no version {version}")
    return found


def make_champion(tracking: Tracking, version: int) -> None:
    """Set the champion alias on a version, and remove its challenger alias if it has one.

    Raises:
        TrackingError: the registry does not take it.
    """
    with tracking_errors("the registry does not take the champion"):
        tracking.client.set_registered_model_alias(BUNDLE, CHAMPION, str(version))
        aliases = tracking.client.get_registered_model(BUNDLE).aliases
        if str(aliases.get(CHALLENGER, "")) == str(version):
            tracking.client.delete_registered_model_alias(BUNDLE, CHALLENGER)


def fetch_bundle(tracking: Tracking, version: int, out: Path) -> Path:
    """Download the models of a version below ``out`` and return their folder.

    Nothing of them is executed or unpickled, unlike by ``mlflow.pyfunc.load_model``.

    Raises:
        TrackingError: there is no such version, or its files are gone.
        CorruptArtefactError: the files are not those that were registered.
    """
    with tracking_errors(f"version {version} of the bundle cannot be fetched"):
        source = tracking.client.get_model_version(BUNDLE, str(version)).source
        local = mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=str(out))
    models = _only_folder(Path(local) / "artifacts", version)  # called as the folder that was registered
    expected, found = registered_bundle(tracking, version).fingerprint, bundle_fingerprint(models)
    if found != expected:
        raise CorruptArtefactError(
            f"version {version} of the bundle is not what was registered: expected digest "
            f"{expected or 'none'}, found {found}; register the bundle again"
        )
    return models


def _only_folder(artifacts: Path, version: int) -> Path:
    found = sorted(artifacts.iterdir()) if artifacts.is_dir() else []
    if [path.is_dir() for path in found] == [True]:
        return found[0]
    names = ", ".join(path.name if path.is_dir() else f"{path.name}, a file" for path in found) or "nothing"
    raise CorruptArtefactError(
        f"version {version} of the bundle: expected one folder of models, found {names}; "
        "register the bundle again"
    )


def _log_model(models: Path, tracking: Tracking, run_id: str) -> tuple[str, str]:
    """Id and place of the bundle as a pyfunc model of the run."""
    outputs = {"query": "string", "rank": "long", "video": "string", "score": "double"}
    outputs |= {"stage": "string", "segments": "string"}
    signature = ModelSignature(
        inputs=Schema([ColSpec("string", "video")]),
        outputs=Schema([ColSpec(kind, name) for name, kind in outputs.items()]),
        params=ParamSchema([
            ParamSpec("index", "string", "artifacts/index"),
            ParamSpec("top_k", "long", 10),
            ParamSpec("budget", "string", "0.3"),
        ]),
    )  # fmt: skip
    # MLflow warns about an example that it did not run and a package that no index has.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with warnings.catch_warnings(), mlflow.start_run(run_id=run_id):
        warnings.simplefilter("ignore")
        info = mlflow.pyfunc.log_model(
            name=BUNDLE,
            python_model=str(Path(__file__).with_name("bundle_model.py")),
            artifacts={"models": str(models)},
            signature=signature,
            input_example={"video": ["clip.mp4"]},
            pip_requirements=["distill-and-select"],
        )
    return str(info.model_id), str(tracking.client.get_logged_model(info.model_id).artifact_location)


def _version(row: Any, aliases: dict[str, str]) -> BundleVersion:
    return BundleVersion(
        version=int(row.version),
        fingerprint=row.tags.get(_FINGERPRINT_TAG, ""),
        data_version=row.tags.get("dns.data_version", ""),
        commit=row.tags.get("dns.commit", ""),
        run_id=row.run_id or "",
        aliases=tuple(
            sorted(alias for alias, version in aliases.items() if int(version) == int(row.version))
        ),
        data_verdict=row.tags.get(_VERDICT_TAG, NEVER_JUDGED),
    )
