"""Holders as actors of a Ray cluster: those of a group on different machines; one that dies starts again."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import ray
from ray.util import list_named_actors
from ray.util.placement_group import PlacementGroup, get_placement_group, placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy
from threadpoolctl import threadpool_limits

from dns_ops.fleet.cluster import connect
from dns_ops.fleet.connection import Address
from dns_ops.fleet.hands import code_fingerprint
from dns_ops.fleet.threads import ONE_THREAD
from dns_ops.holders.holder import Held, Holder
from dns_ops.holders.plans import Plan

HOME = "DNS_HOLDERS_DIR"
"""Variable of a machine that names the folder on a local disk where its holders keep files."""

_NAMESPACE = "dns"
_AT_ONCE = 8  # searches; one more thread answers what the holder holds meanwhile
_CPU = 0.01  # holders do not keep workers that describe videos from starting


@ray.remote(num_cpus=_CPU, max_restarts=-1, max_task_retries=0, max_concurrency=_AT_ONCE)
class HolderActor:
    """A `Holder` in a process of its own, of one thread for each search.

    Args:
        name: of the holder.
    """

    def __init__(self, name: str) -> None:
        os.environ.update(ONE_THREAD)
        threadpool_limits(1)
        home = os.environ.get(HOME) or str(Path(tempfile.gettempdir()) / f"dns-holders-{os.getuid()}")
        self._holder = Holder(Path(home) / name, code_fingerprint())

    def prepare(self, plan: Plan) -> None:
        """As `Holder.prepare`."""
        self._holder.prepare(plan)

    def step(self, *call: Any) -> Any:
        """As `Holder.step`."""
        return self._holder.step(*call)

    def held(self) -> Held:
        """As `Holder.held`."""
        return self._holder.held()

    def keep(self, keys: list[str]) -> None:
        """As `Holder.keep`."""
        self._holder.keep(keys)


class ActorHolder:
    """A holder that is asked through Ray; every call returns at once."""

    def __init__(self, name: str, actor: Any) -> None:
        self.name = name
        self._actor = actor

    def step(
        self, key: str, fine: str, name: str, args: tuple[Any, ...], options: Mapping[str, Any]
    ) -> "Future[Any]":
        """As `Holder.step`."""
        return _future(self._actor.step.remote(key, fine, name, args, options))

    def prepare(self, plan: Plan) -> "Future[None]":
        """As `Holder.prepare`."""
        return _future(self._actor.prepare.remote(plan))

    def held(self) -> "Future[Held]":
        """As `Holder.held`."""
        return _future(self._actor.held.remote())

    def keep(self, keys: Sequence[str]) -> "Future[None]":
        """As `Holder.keep`."""
        return _future(self._actor.keep.remote(list(keys)))


class Actors:
    """The holders of a cluster; they outlive this process, which finds them again.

    Args:
        address: of the cluster.
        tag: of the workspace, as others may have holders there as well.
    """

    def __init__(self, address: Address, tag: str) -> None:
        self._address = address
        self._prefix = f"holder-{tag}-"

    def group(self, number: int, n_replicas: int) -> list[ActorHolder]:
        """The holders of a group; those that are not there are started."""
        connect(self._address)
        place = self._place(number, n_replicas)
        return [
            self._holder(f"{self._prefix}{number}-{replica}", place, replica) for replica in range(n_replicas)
        ]

    def end_others(self, n_groups: int, n_replicas: int) -> None:
        """End the holders of a layout of before."""
        wanted = {f"{self._prefix}{group}-{r}" for group in range(n_groups) for r in range(n_replicas)}
        for actor in list_named_actors(all_namespaces=True):
            name = actor["name"]
            if actor["namespace"] == _NAMESPACE and name.startswith(self._prefix) and name not in wanted:
                with suppress(ValueError):  # it has just ended
                    ray.kill(ray.get_actor(name, _NAMESPACE), no_restart=True)

    def _place(self, number: int, n_replicas: int) -> PlacementGroup:
        """Room for each replica, on different machines where there are as many."""
        name = f"{self._prefix}{number}-of-{n_replicas}"
        with suppress(ValueError):  # there is none yet
            return cast("PlacementGroup", get_placement_group(name))
        n_alive = sum(node["Alive"] for node in ray.nodes())
        strategy = "STRICT_SPREAD" if n_alive >= n_replicas else "SPREAD"
        return placement_group([{"CPU": _CPU}] * n_replicas, strategy, name, lifetime="detached")

    @staticmethod
    def _holder(name: str, place: PlacementGroup, replica: int) -> ActorHolder:
        strategy = PlacementGroupSchedulingStrategy(place, placement_group_bundle_index=replica)
        options = HolderActor.options(  # type: ignore[attr-defined] # Ray's own
            name=name,
            namespace=_NAMESPACE,
            lifetime="detached",
            get_if_exists=True,
            scheduling_strategy=strategy,
        )
        return ActorHolder(name, options.remote(name))


def _future(ref: Any) -> "Future[Any]":
    return cast("Future[Any]", ref.future())
