"""What the core asks of the outside, as Protocols, each with a null version.

The core calls these; adapters of Prefect, MLflow and rich implement them at the rim.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from dns_core.records import FactTable

T = TypeVar("T")


class Progress(Protocol):
    """Shows how far a long loop has come."""

    def track(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """Yield ``items`` unchanged while showing progress; ``total`` if it cannot be measured."""
        ...

    def say(self, message: str) -> None:
        """Show one line of plain text, for what happens once."""
        ...


class RunLogger(Protocol):
    """Records what a run did."""

    def log_params(self, params: Mapping[str, object]) -> None:
        """Record what was asked."""
        ...

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Record figures, at a step of training or for the whole run."""
        ...

    def log_artifact(self, path: Path) -> None:
        """Record a file that the run wrote."""
        ...


class WeightSource(Protocol):
    """Finds the file of pretrained weights."""

    def locate(self, name: str) -> Path:
        """Path of the weights called ``architecture.tag``; raises MissingArtefactError."""
        ...


class DataValidator(Protocol):
    """Validates data before training."""

    def validate(self, tables: "Sequence[FactTable]", report: Path) -> None:
        """Check measured tables against their expectations and write a report.

        Args:
            tables: what was measured.
            report: JSON file to write; a page for people is written beside it, of the same name.

        Raises:
            InputError: an expectation is not met; the message names the rows.
        """
        ...


class SilentProgress:
    """Progress that shows nothing."""

    def track(  # the names are the Protocol's
        self,
        items: Iterable[T],
        description: str,  # noqa: ARG002
        total: int | None = None,  # noqa: ARG002
    ) -> Iterator[T]:
        """Yield ``items`` unchanged."""
        yield from items

    def say(self, message: str) -> None:
        """Show nothing."""


class NullRunLogger:
    """Null logger: records nothing."""

    def log_params(self, params: Mapping[str, object]) -> None:
        """Record nothing."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Record nothing."""

    def log_artifact(self, path: Path) -> None:
        """Record nothing."""


class AcceptAll:
    """Accepts any data (null implementation)."""

    def validate(self, tables: "Sequence[FactTable]", report: Path) -> None:
        """Accept the data; nothing is written."""
