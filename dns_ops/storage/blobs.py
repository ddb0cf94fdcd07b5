"""The content of files in a bucket, by its digest: up in parts that can be resumed, down and checked."""

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_ops.storage.bucket import Bucket, is_absent

PART_BYTES = 8 << 20
_MOST_PARTS = 10_000
_BLOCK_BYTES = 1 << 20


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def blob_key(sha256: str) -> str:
    """Where a content lies."""
    return f"blobs/{sha256}"


def stays_inside(name: str) -> bool:
    """Whether a path that a bucket names lies below the folder that it is put into."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def upload_blob(bucket: Bucket, path: Path, sha256: str, part_bytes: int = PART_BYTES) -> bool:
    """Whether the content had to be uploaded; it is in the bucket now, whole.

    A large file goes up in parts, each with a checksum that the server compares. Parts that an interrupted
    upload left are used: of a key named by its content, part N can hold nothing else.

    Args:
        bucket: where to.
        path: the file.
        sha256: its digest.
        part_bytes: size of a part; a file of at most this size is uploaded in one request.

    Raises:
        CorruptArtefactError: the file does not have that digest any more.
        StorageError: the server does not take it.
    """
    n_bytes = path.stat().st_size
    with bucket.asked():
        if _size(bucket, sha256) == n_bytes:
            return False
        if n_bytes <= part_bytes:
            content = path.read_bytes()
            _require_digest(path, hashlib.sha256(content).hexdigest(), sha256)
            write_object(bucket, blob_key(sha256), content)
        else:
            _upload_parts(bucket, path, sha256, max(part_bytes, -(-n_bytes // _MOST_PARTS)))
    return True


def download_blob(bucket: Bucket, sha256: str, path: Path) -> None:
    """Download content to ``path`` and verify its digest; an interrupted download resumes.

    Raises:
        MissingArtefactError: the bucket does not have it.
        CorruptArtefactError: what the bucket has is something else.
        StorageError: the server does not give it.
    """
    partial = path.with_name(f".{path.name}.{sha256[:16]}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    _fetch(bucket, sha256, partial)
    if file_digest(partial) != sha256:
        partial.unlink()
        raise CorruptArtefactError(
            f"bucket {bucket.name}: {blob_key(sha256)} does not hold what it is named by"
        )
    partial.replace(path)


def write_object(bucket: Bucket, key: str, content: bytes) -> None:
    """Write an object atomically: readers see the old content or the new."""
    with bucket.asked():
        bucket.client.put_object(Bucket=bucket.name, Key=key, Body=content, ChecksumAlgorithm="SHA256")


def read_object(bucket: Bucket, key: str) -> bytes:
    """Content of a small object.

    Raises:
        MissingArtefactError: there is none.
        StorageError: the server does not give it.
    """
    with bucket.asked():
        try:
            content: bytes = bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
        except ClientError as error:
            if not is_absent(error):
                raise
            raise MissingArtefactError(f"bucket {bucket.name}: there is no {key}") from None
    return content


def _size(bucket: Bucket, sha256: str) -> int:
    """Bytes of a blob; -1 if there is none."""
    try:
        return int(bucket.client.head_object(Bucket=bucket.name, Key=blob_key(sha256))["ContentLength"])
    except ClientError as error:
        if not is_absent(error):
            raise
        return -1


def _upload_parts(bucket: Bucket, path: Path, sha256: str, part_bytes: int) -> None:
    place = {"Bucket": bucket.name, "Key": blob_key(sha256)}
    upload = _open_upload(bucket, place["Key"]) or bucket.client.create_multipart_upload(
        **place, ChecksumAlgorithm="SHA256"
    )
    place["UploadId"] = upload["UploadId"]
    there = {part["PartNumber"]: part for part in _parts(bucket, place)}
    done = []
    digest = hashlib.sha256()
    for number, block in enumerate(_blocks(path, part_bytes), start=1):
        digest.update(block)
        part = there.get(number)
        if part is None or part["Size"] != len(block):
            part = bucket.client.upload_part(
                **place, PartNumber=number, Body=block, ChecksumAlgorithm="SHA256"
            )
        checksum = {"ChecksumSHA256": part["ChecksumSHA256"]} if "ChecksumSHA256" in part else {}
        done.append({"PartNumber": number, "ETag": part["ETag"], **checksum})
    _require_digest(path, digest.hexdigest(), sha256)
    bucket.client.complete_multipart_upload(**place, MultipartUpload={"Parts": done})


def _require_digest(path: Path, found: str, expected: str) -> None:
    if found != expected:
        raise CorruptArtefactError(f"{path} changed while it was pushed; push again")


def _open_upload(bucket: Bucket, key: str) -> Any:
    """An upload of the key that was begun and not finished; None if there is none."""
    found = bucket.client.list_multipart_uploads(Bucket=bucket.name, Prefix=key).get("Uploads", [])
    return next((upload for upload in found if upload["Key"] == key), None)


def _parts(bucket: Bucket, place: dict[str, str]) -> Iterator[Any]:
    for page in bucket.client.get_paginator("list_parts").paginate(**place):
        yield from page.get("Parts", [])


def _blocks(path: Path, n_bytes: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(n_bytes):
            yield block


def _fetch(bucket: Bucket, sha256: str, partial: Path) -> None:
    start = partial.stat().st_size if partial.exists() else 0
    with bucket.asked():
        n_bytes = _size(bucket, sha256)
        if n_bytes < 0:
            raise MissingArtefactError(f"bucket {bucket.name}: there is no {blob_key(sha256)}")
        if n_bytes == 0:
            partial.touch()
        if start >= n_bytes:
            return
        body = bucket.client.get_object(Bucket=bucket.name, Key=blob_key(sha256), Range=f"bytes={start}-")[
            "Body"
        ]
        with partial.open("ab") as file:
            for block in body.iter_chunks(_BLOCK_BYTES):
                file.write(block)
