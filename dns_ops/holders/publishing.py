"""Versions of an index on holders: prepared everywhere, then served; what fails is mended meanwhile."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dns_core.errors import ArtefactError
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.shards import ShardGroups
from dns_ops.holders.asking import Group, HeldShards, Replica
from dns_ops.holders.holder import Held
from dns_ops.holders.machines import AnyHolder, Layout, Machines
from dns_ops.holders.plans import Computing, Plan, Source, plans_of

_log = logging.getLogger(__name__)

_LOOK_S = 1.0
_ANSWER_S = 3.0
_KEPT_S = 60.0  # a version that is not served any more, for queries that began with it
_THREADS = 64


@dataclass(frozen=True, slots=True)
class HolderState:
    """What is known of a holder; `dns_apps.service.schemas.HolderRow` says what each attribute is."""

    name: str
    group: int
    host: str
    process: int
    state: str
    version: int
    lag: int
    n_videos: int
    problem: str


class Holders:
    """An index on many machines.

    Args:
        machines: where holders are.
        layout: how many.
        code: fingerprint of the code that computes.
        bucket: name and address of the server; empty if holders read shared folders alone.
    """

    def __init__(
        self, machines: Machines, layout: Layout, code: str, bucket: tuple[str, str] = ("", "")
    ) -> None:
        self._machines, self._layout, self._code, self._bucket = machines, layout, code, bucket
        self._holders: list[Sequence[AnyHolder]] = []
        self._groups: list[Group] = []
        self._plans: dict[str, list[Plan]] = {}
        self._served = self._prepared = ""
        self._retired: dict[str, float] = {}
        self._known: dict[str, Held] = {}
        self._asked: dict[tuple[str, str], Future[None]] = {}
        self._scatter = ThreadPoolExecutor(_THREADS, "scatter")
        self._wake, self._closed, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._mending = threading.Thread(target=self._mend_until_closed, name="mend-holders", daemon=True)

    def prepare(self, engines: Mapping[str, Engine], models: Path) -> dict[str, Engine]:
        """The first phase: engines that search the holders, once one of each group is ready.

        Until `serve` is called, what is served stays as it is.

        Args:
            engines: over one version of an index, by fine network.
            models: folder of the bundle.

        Raises:
            ArtefactError: a group cannot hold the version; the message says why.
        """
        engine = next(iter(engines.values()), None)
        if engine is None or not engine.index.n_videos:
            return dict(engines)
        self._start()
        source = Source(engine.index.folder.resolve(), models.resolve(), *self._bucket)
        computing = Computing(tuple(engines), engine.limits, self._code)
        plans = plans_of(engine.index, source, self._layout.n_groups, computing)
        key = plans[0].key
        with self._lock:
            self._plans[key] = plans
            self._retired.pop(key, None)
            self._prepared = key
        try:
            self._await_ready(plans)
        except ArtefactError:
            with self._lock:
                self._retired[key] = time.monotonic()
            raise
        return {fine: engine.over(self._shards(plans, fine, engine)) for fine, engine in engines.items()}

    def serve(self) -> None:
        """Serve what was prepared, the second phase; what was served is kept a while, then removed."""
        with self._lock:
            before, self._served = self._served, self._prepared
            for key in self._plans.keys() - {self._served, before}:
                self._retired.setdefault(key, time.monotonic())
            self._retired.pop(self._served, None)
        self._wake.set()

    def states(self) -> list[HolderState]:
        """What is known of each holder, by group."""
        return [
            self._state(number, holder)
            for number, holders in enumerate(self._holders)
            for holder in holders
            if self._plan(self._served, number)
        ]

    def close(self) -> None:
        """Stop mending; holders go on, and the next process finds them."""
        self._closed.set()
        self._wake.set()
        if self._mending.is_alive():
            self._mending.join()
        self._scatter.shutdown(wait=False)

    def _start(self) -> None:
        if self._holders:
            return
        layout = self._layout
        self._holders = [self._machines.group(n, layout.n_replicas) for n in range(layout.n_groups)]
        self._machines.end_others(layout.n_groups, layout.n_replicas)
        self._groups = [
            Group([Replica(h.name, h.step) for h in holders], layout.patience_s, on_failure=self._wake.set)
            for holders in self._holders
        ]
        self._mending.start()

    def _await_ready(self, plans: Sequence[Plan]) -> None:
        waiting: dict[Future[None], int] = {}
        for number, plan in enumerate(plans):
            for holder in self._holders[number]:
                waiting[self._prepare(holder, plan)] = number
        missing, until = set(range(len(plans))), time.monotonic() + self._layout.publish_s
        problems: dict[int, str] = {}
        while missing and waiting:
            done = wait(waiting, max(0.0, until - time.monotonic()), FIRST_COMPLETED).done
            for future in done:
                number, error = waiting.pop(future), future.exception()
                if error is None:
                    missing.discard(number)
                else:
                    problems[number] = str(error).strip().splitlines()[-1]
            if not done:
                break
        if missing:
            number = min(missing)
            reason = problems.get(number, f"none was ready in {self._layout.publish_s:g} s")
            raise ArtefactError(
                f"no holder can serve version {plans[0].manifest.version} of shards "
                f"{', '.join(plans[number].shards)}: {reason}"
            )

    def _prepare(self, holder: AnyHolder, plan: Plan) -> "Future[None]":
        asked = holder.prepare(plan)
        self._asked[holder.name, plan.key] = asked
        return asked

    def _shards(self, plans: Sequence[Plan], fine: str, engine: Engine) -> ShardGroups:
        held = [
            (plan.shards, HeldShards(self._groups[number], plan.shards, plan.n_videos, plan.key, fine))
            for number, plan in enumerate(plans)
        ]
        return ShardGroups(held, engine.limits.shortlist, self._side_by_side)

    def _side_by_side(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        return [future.result() for future in [self._scatter.submit(call) for call in calls]]

    def _mend_until_closed(self) -> None:
        while not self._closed.is_set():
            self._wake.wait(_LOOK_S)
            self._wake.clear()
            try:
                self._mend()
            except Exception:  # noqa: BLE001 - the cluster may be away; holders that answer are still asked
                _log.warning("holders cannot be looked after now", exc_info=True)

    def _mend(self) -> None:
        """Have each holder prepare what it should hold and does not, and remove what is served no more."""
        with self._lock:
            now = time.monotonic()
            gone = {key for key, since_s in self._retired.items() if now - since_s > _KEPT_S}
            for key in gone:
                del self._plans[key], self._retired[key]
            wanted = [key for key in self._plans if key not in self._retired]
        asked = [(number, holder, holder.held()) for number, holder in self._each()]
        wait([future for *_, future in asked], _ANSWER_S)
        for number, holder, future in asked:
            held = self._answered(number, holder, future)
            if held is None:
                continue
            for key in wanted:
                plan, before = self._plan(key, number), self._asked.get((holder.name, key))
                if plan and key not in held.keys and (before is None or before.done()):
                    self._prepare(holder, plan)
            if gone:
                holder.keep([*self._plans])

    def _answered(self, number: int, holder: AnyHolder, future: "Future[Held]") -> Held | None:
        """What a holder holds; one that has ended for good is replaced."""
        held = None
        if future.done():
            with suppress(Exception):
                held = future.result()
        if held is None:
            self._known.pop(holder.name, None)
            self._holders[number] = self._machines.group(number, self._layout.n_replicas)
            self._groups[number].replicas = [
                Replica(h.name, h.step, old.avoided_until)
                for h, old in zip(self._holders[number], self._groups[number].replicas, strict=True)
            ]
            return None
        self._known[holder.name] = held
        return held

    def _each(self) -> Iterator[tuple[int, AnyHolder]]:
        for number, holders in enumerate(self._holders):
            for holder in holders:
                yield number, holder

    def _plan(self, key: str, number: int) -> Plan | None:
        plans = self._plans.get(key, [])
        return plans[number] if number < len(plans) else None

    def _state(self, number: int, holder: AnyHolder) -> HolderState:
        held, plan = self._known.get(holder.name), self._plan(self._served, number)
        served, n_videos = (plan.manifest.version, plan.n_videos) if plan else (0, 0)
        if held is None:
            return HolderState(holder.name, number, "", 0, "lost", 0, served, n_videos, "")
        plans = filter(None, (self._plan(key, number) for key in held.keys))
        version = max((p.manifest.version for p in plans if p.manifest.version <= served), default=0)
        ready = self._served in held.keys
        state, problem = ("ready", "") if ready else ("preparing", held.problems.get(self._served, ""))
        lag = served - version
        return HolderState(
            holder.name, number, held.host, held.process, state, version, lag, n_videos, problem
        )
