"""DVC's remote in the same bucket, so that `dvc push` and `dvc pull` need no settings of their own."""

from pathlib import Path

from dvc.exceptions import DvcException

from dns_core.errors import InputError
from dns_ops.dag import open_workspace
from dns_ops.settings import Settings

REMOTE = "dns-s3"


def connect_remote(root: Path, settings: Settings) -> str:
    """Address of the remote that DVC uses by default in this clone from now on; no secret is written.

    Raises:
        InputError: no bucket is set, or the folder is no workspace.
    """
    if not settings.s3_bucket:
        raise InputError("DNS_S3_BUCKET: expected the name of a bucket, found none")
    url = f"s3://{settings.s3_bucket}/dvc"
    endpoint = {"endpointurl": settings.s3_endpoint_url} if settings.s3_endpoint_url else {}
    try:
        with open_workspace(root) as repo, repo.config.edit("local") as config:
            config["remote"][REMOTE] = {"url": url, **endpoint}
            config["core"]["remote"] = REMOTE
    except DvcException as error:
        raise InputError(f"{root}: {error}") from error
    return url
