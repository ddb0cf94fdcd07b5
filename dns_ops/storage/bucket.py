"""One bucket, and what is wrong with it in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
)

from dns_core.errors import DnsError, InputError
from dns_ops.settings import Settings

_ATTEMPTS = 5
_REASONS = {
    "NoSuchBucket": "there is no such bucket",
    "404": "there is no such bucket",
    "403": "permission is denied",
    "AccessDenied": "permission is denied",
    "InvalidAccessKeyId": "the credentials are not known to the server",
    "SignatureDoesNotMatch": "the credentials are wrong",
}


class StorageError(DnsError):
    """The bucket does not give or take what it should; the message says why and shows no secret."""


class Bucket:
    """A bucket whose server answers.

    Credentials come from boto3's own chain: variables, ``~/.aws``, the machine's role.

    Args:
        settings: which bucket, and where.
        attempts: how often a request is tried.

    Attributes:
        name: of the bucket.
        client: boto3's; safe to use from several threads.
    """

    def __init__(self, settings: Settings, attempts: int = _ATTEMPTS) -> None:
        if not settings.s3_bucket:
            raise InputError("DNS_S3_BUCKET: expected the name of a bucket, found none")
        self.name = settings.s3_bucket
        with self.asked():
            self.client: Any = boto3.Session().client(
                "s3",
                endpoint_url=settings.s3_endpoint_url or None,
                config=Config(
                    retries={"mode": "standard", "total_max_attempts": attempts},
                    connect_timeout=5,
                    s3={"addressing_style": "path"} if settings.s3_endpoint_url else {},
                    signature_version="s3v4",
                ),
            )

    def require(self) -> None:
        """Check that the bucket exists and is accessible.

        Raises:
            StorageError: it is not, or may not.
        """
        with self.asked():
            self.client.head_bucket(Bucket=self.name)

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Errors of the server in the block are a `StorageError`."""
        try:
            yield
        except ClientError as error:
            code = str(error.response["Error"].get("Code", ""))
            raise StorageError(f"bucket {self.name}: {_REASONS.get(code, str(error))}") from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise StorageError(
                f"bucket {self.name}: no credentials; set boto3's AWS_... variables"
            ) from error
        except EndpointConnectionError as error:
            raise StorageError(f"bucket {self.name}: the server does not answer") from error
        except BotoCoreError as error:
            raise StorageError(f"bucket {self.name}: {error}") from error
        except KeyError as error:
            raise StorageError(f"bucket {self.name}: the server's answer has no {error.args[0]}") from error


def is_absent(error: ClientError) -> bool:
    """Whether the server says that there is no such object."""
    return error.response["Error"].get("Code") in ("404", "NoSuchKey")
