"""Where holders are, and how an index is spread over them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from dns_ops.holders.holder import Held
from dns_ops.holders.plans import Plan


class AnyHolder(Protocol):
    """A holder somewhere; every call returns at once."""

    @property
    def name(self) -> str:
        """Of the holder."""
        ...

    def step(
        self, key: str, fine: str, name: str, args: tuple[Any, ...], options: Mapping[str, Any]
    ) -> "Future[Any]":
        """As `dns_ops.holders.holder.Holder.step`."""
        ...

    def prepare(self, plan: Plan) -> "Future[None]":
        """As `dns_ops.holders.holder.Holder.prepare`."""
        ...

    def held(self) -> "Future[Held]":
        """As `dns_ops.holders.holder.Holder.held`."""
        ...

    def keep(self, keys: Sequence[str]) -> "Future[None]":
        """As `dns_ops.holders.holder.Holder.keep`."""
        ...


class Machines(Protocol):
    """Machines that have holders."""

    def group(self, number: int, n_replicas: int) -> Sequence[AnyHolder]:
        """The holders of a group; those that are not there are started."""
        ...

    def end_others(self, n_groups: int, n_replicas: int) -> None:
        """End the holders of a layout of before."""
        ...


@dataclass(frozen=True, slots=True)
class Layout:
    """How an index is spread.

    Attributes:
        n_groups: of shards, at most.
        n_replicas: holders of each group.
        patience_s: see `dns_ops.holders.asking.Group`.
        publish_s: a version that is not ready after so long is not served.
    """

    n_groups: int
    n_replicas: int = 2
    patience_s: float = 30.0
    publish_s: float = 3600.0
