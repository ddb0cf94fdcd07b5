"""What is wrong with a bucket is said in one line that shows no secret."""

import pytest

from dns_core.errors import InputError
from dns_ops.settings import Settings
from dns_ops.storage.bucket import Bucket, StorageError


def test_a_bucket_that_is_not_there_or_not_named(settings: Settings) -> None:
    with pytest.raises(StorageError, match="there is no such bucket"):
        Bucket(settings).require()
    with pytest.raises(InputError, match="DNS_S3_BUCKET"):
        Bucket(settings.model_copy(update={"s3_bucket": ""}))


def test_a_server_that_does_not_answer(settings: Settings) -> None:
    away = settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:9"})
    with pytest.raises(StorageError, match="does not answer"):
        Bucket(away).require()


def test_no_credentials(bucket: Bucket, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(StorageError, match=f"{bucket.name}: no credentials"):
        Bucket(settings).require()


@pytest.mark.parametrize(
    ("code", "said"),
    [("403", "permission"), ("InvalidAccessKeyId", "not known"), ("SignatureDoesNotMatch", "are wrong")],
)
def test_refused_credentials_are_named_and_not_shown(bucket: Bucket, code: str, said: str) -> None:
    def refuse(**_: object) -> None:
        raise bucket.client.exceptions.ClientError({"Error": {"Code": code, "Message": "no"}}, "HeadBucket")

    # The server of these tests takes every credential: its refusal is put in after the request was signed.
    bucket.client.meta.events.register("before-send.s3.HeadBucket", refuse)
    with pytest.raises(StorageError, match=said) as error:
        bucket.require()
    assert "very-secret" not in str(error.value)


def test_an_answer_that_lacks_something_is_one_error(bucket: Bucket) -> None:
    with (
        pytest.raises(StorageError, match=f"bucket {bucket.name}: the server's answer has no ContentLength"),
        bucket.asked(),
    ):
        dict[str, int]()["ContentLength"]
