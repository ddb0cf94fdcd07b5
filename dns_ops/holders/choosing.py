"""Whether the settings want an index on several machines."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dns_core.errors import InputError
from dns_core.store.fingerprints import fingerprint_json
from dns_ops.fleet.connection import Address, cluster_environment
from dns_ops.settings import Settings, make_platform_folder

if TYPE_CHECKING:
    from dns_ops.holders.publishing import Holders


def open_holders(settings: Settings, root: Path) -> "Holders | None":
    """The holders of a workspace's query service; None if it searches by itself. They start with a version.

    Args:
        settings: say how many, and on which cluster.
        root: the workspace, which has the token of the cluster.

    Raises:
        InputError: there is no cluster, or Ray is not installed.
    """
    wanted = settings.serve.holders
    if not wanted:
        return None
    if not settings.cluster:
        raise InputError(
            f"DNS_SERVE_HOLDERS={wanted}: expected DNS_CLUSTER to name their cluster, found none"
        )
    if find_spec("ray") is None:
        raise InputError("ray is not installed: pip install 'distill-and-select[cluster]'")
    home = make_platform_folder(root)
    os.environ.update(cluster_environment(home))
    # Ray reads the variables when it is loaded.
    from dns_ops.fleet.hands import code_fingerprint  # noqa: PLC0415
    from dns_ops.holders.actors import Actors  # noqa: PLC0415
    from dns_ops.holders.machines import Layout  # noqa: PLC0415
    from dns_ops.holders.publishing import Holders  # noqa: PLC0415

    tag = fingerprint_json(str(root.resolve()))[:8]
    layout = Layout(wanted, settings.serve.replicas, settings.serve.holder_timeout_s)
    bucket = (settings.s3_bucket, settings.s3_endpoint_url)
    return Holders(Actors(Address(settings.cluster, home), tag), layout, code_fingerprint(), bucket)
