"""Every error that this software raises on purpose.

    DnsError
    ├── InputError                what the user gave cannot be used
    │   ├── VideoError            a file is not a video that can be decoded
    │   ├── ParamsError           params.yaml, a ``--set`` or a ``--budget`` does not validate
    │   ├── ForeignFileError      a file of other software asks to run code, or is not what it should be
    │   └── GroundTruthError      an annotation file does not say what it should
    ├── ShardsLostError           machines that hold parts of an index do not answer
    └── ArtefactError             a file this software wrote, or should have written
        ├── MissingArtefactError  it is not there: an earlier stage has not run
        ├── CorruptArtefactError  it is there, but truncated or altered
        └── MismatchError         it was made by another model, whitening or backbone

The command line prints the message of a ``DnsError`` as its one line of error and exits with 2;
anything else is a defect and keeps its traceback.
"""

from collections.abc import Sequence
from typing import Any


class DnsError(Exception):
    """Root of the tree above; the message says what was expected and what was found."""

    def __reduce__(self) -> tuple[Any, ...]:
        """As another process rebuilds it, independent of the arguments of its class."""
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(kind: type[DnsError], args: tuple[Any, ...], state: dict[str, Any]) -> DnsError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class InputError(DnsError):
    """What the user gave cannot be used."""


class VideoError(InputError):
    """A file is not a video that can be decoded.

    Args:
        reason: one of the short machine-readable words below; quarantine lists group by it.
            ``missing``, ``not_a_file``, ``no_permission``, ``empty``, ``not_a_video``,
            ``no_video_stream``, ``no_frames``, ``encrypted``, ``corrupt``, ``too_large``; of a stream also
            ``unreachable`` and ``not_allowed``.
        detail: one sentence for a person.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ParamsError(InputError):
    """A parameter is unknown, missing or out of range."""


class ForeignFileError(InputError):
    """A file that other software wrote asks to run code, or is not what it should be."""


class GroundTruthError(InputError):
    """An annotation file does not say what it should."""


class ShardsLostError(DnsError):
    """Shards of an index cannot be searched now.

    Args:
        names: of the shards.
        reason: why.
    """

    def __init__(self, names: Sequence[str], reason: str) -> None:
        super().__init__(names, reason)
        self.names = tuple(names)
        self.reason = reason

    def __str__(self) -> str:
        return f"shards that cannot be searched now: {', '.join(self.names)} ({self.reason})"


class ArtefactError(DnsError):
    """A file that this software wrote, or should have written, cannot be used."""


class MissingArtefactError(ArtefactError):
    """An artefact is not there: an earlier stage has not run, or the path is wrong."""


class CorruptArtefactError(ArtefactError):
    """An artefact is truncated, altered or of another format version."""


class MismatchError(ArtefactError):
    """Two artefacts that must be of one generation are not.

    Args:
        what: the thing that should agree, for example ``"whitening"``.
        expected: the fingerprint that the reader holds.
        found: the fingerprint that the artefact names.
    """

    def __init__(self, what: str, expected: str, found: str) -> None:
        super().__init__(f"{what} mismatch: expected {expected}, found {found}")
        self.what = what
        self.expected = expected
        self.found = found
