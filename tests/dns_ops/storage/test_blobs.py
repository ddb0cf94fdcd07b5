"""Transfers are whole, even if they are interrupted."""

from pathlib import Path
from typing import Any

import pytest

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_ops.storage.blobs import blob_key, download_blob, file_digest, upload_blob
from dns_ops.storage.bucket import Bucket

PART_BYTES = 5 << 20


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of three parts, the last a short one."""
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(range(256)) * ((2 * PART_BYTES + 512) // 256))
    return path


def test_a_content_goes_up_once_and_comes_down_the_same(bucket: Bucket, tmp_path: Path) -> None:
    source, target = tmp_path / "a.txt", tmp_path / "deep" / "b.txt"
    source.write_text("content")
    assert upload_blob(bucket, source, file_digest(source))
    assert not upload_blob(bucket, source, file_digest(source))
    download_blob(bucket, file_digest(source), target)
    assert target.read_text() == "content"
    assert [path.name for path in target.parent.iterdir()] == ["b.txt"]


def test_an_interrupted_upload_is_invisible_and_goes_on_where_it_was(
    bucket: Bucket, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    upload_part = bucket.client.upload_part

    def counting(**arguments: Any) -> Any:
        sent.append(arguments["PartNumber"])
        if len(sent) == 2:
            raise KeyboardInterrupt
        return upload_part(**arguments)

    monkeypatch.setattr(bucket.client, "upload_part", counting)
    digest = file_digest(large)
    with pytest.raises(KeyboardInterrupt):
        upload_blob(bucket, large, digest, PART_BYTES)
    with pytest.raises(MissingArtefactError):
        download_blob(bucket, digest, large.with_name("early"))
    assert upload_blob(bucket, large, digest, PART_BYTES)
    assert sent == [1, 2, 2, 3]
    assert not bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads")
    download_blob(bucket, digest, large.with_name("copy"))
    assert large.with_name("copy").read_bytes() == large.read_bytes()


def test_an_interrupted_download_goes_on_where_it_was(bucket: Bucket, large: Path) -> None:
    digest = file_digest(large)
    upload_blob(bucket, large, digest, PART_BYTES)
    target = large.with_name("copy")
    target.with_name(f".copy.{digest[:16]}.part").write_bytes(large.read_bytes()[: PART_BYTES + 3])
    download_blob(bucket, digest, target)
    assert file_digest(target) == digest


@pytest.mark.parametrize("stored", [b"cont", b"CONTENT"], ids=["half of it", "another"])
def test_what_the_bucket_holds_wrongly_is_noticed_and_half_of_it_is_replaced(
    bucket: Bucket, tmp_path: Path, stored: bytes
) -> None:
    source, target = tmp_path / "a.txt", tmp_path / "b.txt"
    source.write_text("content")
    digest = file_digest(source)
    bucket.client.put_object(Bucket=bucket.name, Key=blob_key(digest), Body=stored)
    with pytest.raises(CorruptArtefactError, match=digest):
        download_blob(bucket, digest, target)
    assert not target.exists()
    assert upload_blob(bucket, source, digest) == (len(stored) != 7)
