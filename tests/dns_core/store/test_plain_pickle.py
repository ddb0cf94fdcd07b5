import io
import pickle
from pathlib import Path
from typing import Any

import pytest

from dns_core.errors import ForeignFileError, MissingArtefactError
from dns_core.store.plain_pickle import read_plain_pickle
from tests.oracles.malicious_pickle import Command

PLAIN = {"a": [1, 2.5, None, True], 3: ("x", {"y"}), "frozen": frozenset({1}), "bytes": b"z"}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_are_read_in_every_protocol(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "plain.pickle"
    plain = {name: value for name, value in PLAIN.items() if protocol > 2 or name != "bytes"}
    path.write_bytes(pickle.dumps(plain, protocol))
    assert read_plain_pickle(path) == plain


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_command_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    path, proof = tmp_path / "evil.pickle", tmp_path / "proof"
    path.write_bytes(pickle.dumps({"annotation": Command(proof)}, protocol))
    with pytest.raises(ForeignFileError, match=r"evil\.pickle: .* asks for (posix|nt)\.system: refused"):
        read_plain_pickle(path)
    assert not proof.exists()
    pickle.loads(path.read_bytes())
    assert proof.exists(), "the pickle would have run the command"


@pytest.mark.parametrize(
    "name", ["builtins.eval", "builtins.getattr", "os.path.join", "collections.OrderedDict"]
)
def test_every_other_global_is_refused(tmp_path: Path, name: str) -> None:
    module, _, attribute = name.rpartition(".")
    path = tmp_path / "asks.pickle"
    path.write_bytes(f"c{module}\n{attribute}\n.".encode())
    with pytest.raises(ForeignFileError, match=f"asks for {name}"):
        read_plain_pickle(path)


class Persistent(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return "elsewhere" if obj == "out" else None


def test_references_to_the_outside_are_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    Persistent(content).dump(["out"])
    path = tmp_path / "outside.pickle"
    path.write_bytes(content.getvalue())
    with pytest.raises(ForeignFileError, match="external object 'elsewhere' is refused"):
        read_plain_pickle(path)


@pytest.mark.parametrize("content", [b"", b"no pickle at all", pickle.dumps(PLAIN)[:-9], b"\x80\x04"])
def test_rubbish_and_truncation_are_one_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rubbish.pickle"
    path.write_bytes(content)
    with pytest.raises(ForeignFileError, match=r"rubbish\.pickle: expected a whole pickle"):
        read_plain_pickle(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError, match=r"none\.pickle"):
        read_plain_pickle(tmp_path / "none.pickle")
