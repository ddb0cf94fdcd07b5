"""Making a release of a registered bundle, and verifying it."""

import shutil
import tempfile
from pathlib import Path

from dns_core.errors import CorruptArtefactError, DnsError
from dns_core.evaluation.gates import Gate
from dns_core.index import open_index, verify_index
from dns_core.ports import Progress
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.index_settings import FINE_NETWORKS
from dns_core.retrieval.pipeline import index_videos
from dns_core.store.atomic import atomic_folder
from dns_core.workspace import Workspace
from dns_ops.fleet.choosing import open_fleet
from dns_ops.releases.registry import bundle_fingerprint, fetch_bundle, registered_bundle
from dns_ops.releases.release import Release, releases_folder
from dns_ops.settings import load_settings
from dns_ops.tracking.store import Tracking


def make_release(root: Path, tracking: Tracking, version: int, progress: Progress) -> Release:
    """Return the release of a version; make it if missing, from the registry's models and the database.

    The workspace's index is copied if this bundle made it with its settings and it is intact; otherwise
    the database is indexed again.

    Raises:
        CorruptArtefactError: the registry's models are not those that were registered.
        TrackingError: the registry does not have the version.
        InputError: there are no videos to index.
    """
    folder = releases_folder(root) / str(version)
    if not folder.is_dir():
        with atomic_folder(folder) as draft, tempfile.TemporaryDirectory() as fetched:
            shutil.copytree(fetch_bundle(tracking, version, Path(fetched)), draft / "models")
            bundle = Bundle.load(draft / "models")
            workspace = Workspace(root)
            if _made_by(workspace.index, bundle, progress):
                shutil.copytree(workspace.index, draft / "index")
                verify_index(draft / "index")
            else:
                progress.say(f"version {version}: the database is indexed with its models")
                fleet = open_fleet(load_settings(root))
                index_videos(workspace.videos("database"), draft / "index", bundle, progress, fleet=fleet)
    return Release(version, folder)


def index_gate(release: Release) -> Gate:
    """Whether the release's index is bit for bit what was written, and was made by its models."""
    expected = "every file as written, made by these models"
    try:
        manifest = verify_index(release.index)
        manifest.check_models(Bundle.load(release.models).index_models(FINE_NETWORKS))
    except DnsError as error:
        return Gate("index", passed=False, expected=expected, found=str(error))
    return Gate("index", passed=True, expected=expected, found="ok")


def bundle_gate(tracking: Tracking, release: Release) -> Gate:
    """Whether the release's models are those that were registered as its version."""
    known = registered_bundle(tracking, release.version).fingerprint
    found = bundle_fingerprint(release.models)
    return Gate("bundle", passed=found == known, expected=f"models of digest {known}", found=found)


def _made_by(index: Path, bundle: Bundle, progress: Progress) -> bool:
    settings = bundle.index_settings
    try:
        manifest = open_index(index).manifest
        manifest.check_models(bundle.index_models(settings.fine_networks))
        verify_index(index)
    except CorruptArtefactError as error:
        progress.say(f"the workspace's index is not copied: {error}")
        return False
    except DnsError:
        return False  # no index, or another bundle's
    return dict(manifest.params) == settings.params
