import hashlib
from pathlib import Path

import pytest

from dns_core.store.fingerprints import fingerprint_bytes, fingerprint_file, fingerprint_json


def test_a_fingerprint_is_the_start_of_the_sha256_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"content")
    assert fingerprint_bytes(b"content") == hashlib.sha256(b"content").hexdigest()[:16]
    assert fingerprint_file(path) == fingerprint_bytes(b"content")


def test_values_that_are_equal_have_equal_fingerprints() -> None:
    assert fingerprint_json({"a": 1, "b": [2]}) == fingerprint_json({"b": [2], "a": 1})
    assert fingerprint_json({"a": 1}) != fingerprint_json({"a": "1"})
    assert fingerprint_json({"a": 1}) == "015abd7f5cc57a2d"  # must never change: it names files on disk


def test_a_number_that_equals_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        fingerprint_json(float("nan"))
