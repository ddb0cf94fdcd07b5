"""Arrays in safetensors files: whole, checked when read, and the same bytes for the same content."""

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.store.atomic import atomic_file

Arrays = Mapping[str, npt.NDArray[Any]]
"""Arrays by name."""

_METADATA = "__metadata__"
_DIGEST = "content_sha256"
_ALIGNMENT_BYTES = 8
_LENGTH_BYTES = 8


def save_weights(path: Path, arrays: Arrays, metadata: Mapping[str, str]) -> None:
    """Write arrays and metadata with a digest of both that `read_weights` checks.

    Args:
        path: the file to write, atomically.
        arrays: by name.
        metadata: strings that travel with the arrays; ``content_sha256`` is reserved.

    Raises:
        ValueError: ``metadata`` uses the reserved key.
    """
    if _DIGEST in metadata:
        raise ValueError(f"the metadata key {_DIGEST} is reserved")
    # safetensors writes the memory of an array as it lies and ignores its strides
    plain = {
        name: np.ascontiguousarray(arrays[name]).reshape(np.shape(arrays[name])) for name in sorted(arrays)
    }
    header, body = _split(safetensors.numpy.save(plain))
    signed = {**metadata, _DIGEST: _digest(header, body, metadata)}
    # safetensors itself writes metadata in random order, and equal content must give equal bytes.
    text = json.dumps({_METADATA: dict(sorted(signed.items())), **header}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT_BYTES)
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        file.write(body)


def read_weights(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """The arrays and the metadata of a safetensors file.

    Files of other software are read too: without our digest there is nothing to check but the form.

    Raises:
        MissingArtefactError: there is no such file.
        CorruptArtefactError: the file is truncated, altered, not of safetensors, or has numbers that NumPy
            does not know.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise MissingArtefactError(f"{path} is not there; has the step that writes it run?") from None
    try:
        arrays = safetensors.numpy.load(content)
        header, body = _split(content)
    except (SafetensorError, ValueError, KeyError, AttributeError, struct.error) as error:
        raise CorruptArtefactError(f"{path} is not a whole safetensors file: {error}") from error
    metadata: dict[str, str] = header.pop(_METADATA, {})
    expected = metadata.pop(_DIGEST, None)
    if expected is not None and expected != _digest(header, body, metadata):
        raise CorruptArtefactError(f"{path} was altered after it was written: its digest does not agree")
    return arrays, metadata


def _split(content: bytes) -> tuple[dict[str, Any], memoryview]:
    """Header and data of a safetensors file (its format: length of the header, header, data)."""
    (length,) = struct.unpack_from("<Q", content)
    start = _LENGTH_BYTES + length
    return json.loads(content[_LENGTH_BYTES:start]), memoryview(content)[start:]


def _digest(header: Mapping[str, Any], body: memoryview, metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps([header, dict(metadata)], sort_keys=True).encode())
    digest.update(body)
    return digest.hexdigest()
