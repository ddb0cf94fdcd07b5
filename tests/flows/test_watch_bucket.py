"""New objects below a prefix are ingested once, from a real S3 server."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from dns_core.video.encode import write_video
from flows.watch_bucket import watch_bucket

BUCKET = "archive"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "very-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DNS_S3_BUCKET": BUCKET,
        "DNS_S3_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket=BUCKET)
    yield client
    server.stop()


@pytest.mark.slow
def test_new_objects_are_ingested_once(bucket: Any, pipeline: Path, tmp_path: Path) -> None:
    for collection in ("train", "test/database", "test/queries"):
        (pipeline / "data" / collection).mkdir(parents=True)
    frames = np.random.default_rng(0).integers(0, 256, (10, 64, 64, 3), dtype=np.uint8)
    clip = tmp_path / "clip.mp4"
    write_video(clip, frames, 5.0)
    for key in ("inbox/2026/a.mp4", "inbox/../b.mp4", "elsewhere/c.mp4"):
        bucket.upload_file(str(clip), BUCKET, key)
    bucket.put_object(Bucket=BUCKET, Key="inbox/half.mp4", Body=clip.read_bytes()[:500])

    first = watch_bucket(return_state=True)
    assert (first.name, first.message) == ("Completed", "2 new objects below inbox/ were ingested")
    train = pipeline / "data" / "train"
    assert [path for path in train.rglob("*") if path.is_file()] == [train / "2026" / "a.mp4"]
    assert (train / "2026" / "a.mp4").read_bytes() == clip.read_bytes()
    assert len(list((pipeline / "data" / "versions").glob("*.json"))) == 2  # a version and what is current

    assert watch_bucket(return_state=True).name == "NothingNew"
    shutil.rmtree(pipeline / "data" / "train" / "2026")
    bucket.upload_file(str(clip), BUCKET, "inbox/half.mp4")
    assert watch_bucket(return_state=True).message == "1 new objects below inbox/ were ingested"
    assert (train / "half.mp4").is_file()
    assert not (train / "2026").exists()
