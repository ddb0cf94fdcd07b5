"""Files of versions on the local disk of a machine, each content once and compared with its digest."""

import os
import shutil
from pathlib import Path

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.index.manifest import FileEntry
from dns_ops.holders.plans import Plan, Source


class LocalFiles:
    """Contents by digest, and a folder for each version that is held, of links to them.

    Args:
        home: a folder of one holder's own.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._contents = home / "contents"
        self._contents.mkdir(parents=True, exist_ok=True)

    def pull(self, plan: Plan) -> tuple[Path, Path]:
        """Folders of the index's version and of the models, whole: what is missing or damaged is pulled.

        Raises:
            MissingArtefactError: a file is neither in the shared folder nor in the bucket.
            CorruptArtefactError: what is there is not what was written.
        """
        folder = self._folder(plan.key)
        shutil.rmtree(folder, ignore_errors=True)
        models = folder / "models"
        for name, file in plan.models.items():
            self._place(file, plan.source, plan.source.models / name, models / name)
        for entry in plan.manifest.shards:
            for name, file in entry.files.items():
                origin = plan.source.index / entry.name / name
                self._place(file, plan.source, origin, folder / entry.name / name)
        return folder, models

    def forget(self, key: str) -> None:
        """Remove a version, and the contents that no other one has."""
        shutil.rmtree(self._folder(key), ignore_errors=True)
        for content in self._contents.iterdir():
            if content.stat().st_nlink == 1:
                content.unlink()

    def _place(self, file: FileEntry, source: Source, origin: Path, target: Path) -> None:
        content = self._contents / file.sha256
        if not self._is_whole(content, file):
            content.unlink(missing_ok=True)
            _fetch(file, source, origin, content)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(content, target)

    @staticmethod
    def _is_whole(content: Path, file: FileEntry) -> bool:
        try:
            file.verify(content)
        except CorruptArtefactError:
            return False
        return True

    def _folder(self, key: str) -> Path:
        return self._home / "versions" / key


def _fetch(file: FileEntry, source: Source, origin: Path, content: Path) -> None:
    """Copy a file from the shared folder, or else download it; what arrives is compared with its digest."""
    if origin.is_file():
        partial = content.with_suffix(".part")
        shutil.copyfile(origin, partial)
        try:
            file.verify(partial)
        except CorruptArtefactError as error:
            partial.unlink()
            raise CorruptArtefactError(f"{origin} does not hold what was written: {error}") from error
        partial.replace(content)
        return
    if not source.bucket:
        raise MissingArtefactError(
            f"{origin} is not there: expected a folder that all machines share, or DNS_S3_BUCKET"
        )
    from dns_ops.settings import Settings  # noqa: PLC0415 - boto3 takes a second
    from dns_ops.storage.blobs import download_blob  # noqa: PLC0415
    from dns_ops.storage.bucket import Bucket  # noqa: PLC0415

    bucket = Bucket(Settings(s3_bucket=source.bucket, s3_endpoint_url=source.endpoint))
    download_blob(bucket, file.sha256, content)
