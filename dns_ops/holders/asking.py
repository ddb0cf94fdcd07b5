"""The shards of a group, wherever they are: a replica is asked, and the next one if it takes too long."""

import statistics
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

from dns_core.errors import ShardsLostError
from dns_core.records import Float32Array, Int64Array
from dns_core.retrieval.chunked_video import ChunkedVideo
from dns_core.retrieval.shards import BestFrame, CoarseQuery, Seen, Segments

Ask = Callable[[str, str, str, tuple[Any, ...], Mapping[str, Any]], "Future[Any]"]
"""Starts `dns_ops.holders.holder.Holder.step` of a replica, and returns at once."""

_AVOIDED_S = 1.0
_REMEMBERED = 200
_QUANTILES, _P95 = 20, 18  # of twenty parts, the border above which one is
_LEAST_REMEMBERED = 20


@dataclass(slots=True)
class Replica:
    """One holder of a group.

    Attributes:
        name: of the holder.
        ask: it.
        avoided_until: on `time.monotonic`; others are asked first until then, as it has failed.
    """

    name: str
    ask: Ask
    avoided_until: float = 0.0


@dataclass(slots=True)
class Group:
    """The replicas of a group of shards.

    Attributes:
        replicas: of it.
        patience_s: an answer that takes longer than this, and than the time that the step is given, is lost.
        hedge_s: the next replica is asked after so long, or after twice what all but one answer in twenty
            took, if that is longer.
        on_failure: is called when a replica fails.
    """

    replicas: Sequence[Replica]
    patience_s: float = 30.0
    hedge_s: float = 0.1
    on_failure: Callable[[], object] = lambda: None
    _took_s: defaultdict[str, deque[float]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_REMEMBERED))
    )
    _turn: "count[int]" = field(default_factory=count)

    def answer(self, shards: Sequence[str], call: tuple[Any, ...], more_s: float = 0.0) -> Any:
        """What the first replica answers that can.

        Args:
            shards: names, for the error.
            call: arguments of `Ask`.
            more_s: that the step may take besides.

        Raises:
            ShardsLostError: no replica answers.
        """
        step, began_s = str(call[2]), time.monotonic()
        left, asked = deque(self._order()), dict[Future[Any], Replica]()
        reason = "no holder"
        while left or asked:
            if left:
                replica = left.popleft()
                asked[replica.ask(*call)] = replica
            patience_s = began_s + self.patience_s + more_s - time.monotonic()
            done = wait(
                asked,
                min(patience_s, self._hedge_after(step) + more_s) if left else patience_s,
                FIRST_COMPLETED,
            ).done
            for future in done:
                replica = asked.pop(future)
                error = future.exception()
                if error is None:
                    self._took_s[step].append(time.monotonic() - began_s)
                    return future.result()
                reason = f"{replica.name}: {str(error).strip().splitlines()[-1]}"
                self._failed(replica)
            if not done and time.monotonic() - began_s >= self.patience_s + more_s:
                for replica in asked.values():
                    self._failed(replica)
                reason = f"no answer in {self.patience_s + more_s:g} s"
                break
        raise ShardsLostError(shards, reason)

    def _order(self) -> list[Replica]:
        """Replicas in turn, those that have just failed last."""
        first, now = next(self._turn) % len(self.replicas), time.monotonic()
        turned = [*self.replicas[first:], *self.replicas[:first]]
        return sorted(turned, key=lambda replica: replica.avoided_until > now)

    def _hedge_after(self, step: str) -> float:
        took_s = list(self._took_s[step])
        if len(took_s) < _LEAST_REMEMBERED:
            return self.hedge_s
        return max(self.hedge_s, 2 * statistics.quantiles(took_s, n=_QUANTILES)[_P95])

    def _failed(self, replica: Replica) -> None:
        replica.avoided_until = time.monotonic() + _AVOIDED_S
        self.on_failure()


@dataclass(frozen=True, slots=True)
class HeldShards:
    """The shards that a group holds of one version, for one fine network.

    Attributes:
        group: is asked.
        names: of the shards.
        n_videos: live videos.
        key: of the version.
        fine: the network.
    """

    group: Group
    names: tuple[str, ...]
    n_videos: int
    key: str
    fine: str

    def seen(self, query: CoarseQuery, *, shortlisted: bool) -> Seen:
        """As `dns_core.retrieval.shards.Shards` says."""
        return cast("Seen", self._asked("seen", (query,), {"shortlisted": shortlisted}))

    def fine_scores(
        self, query: ChunkedVideo, rows: Int64Array, *, deadline_ms: float | None = None
    ) -> Float32Array:
        """As `dns_core.retrieval.shards.Shards` says."""
        more_s = (deadline_ms or 0.0) / 1000
        found = self._asked("fine_scores", (query, rows), {"deadline_ms": deadline_ms}, more_s)
        return cast("Float32Array", found)

    def segments(self, query: ChunkedVideo, rows: Int64Array) -> list[Segments]:
        """As `dns_core.retrieval.shards.Shards` says."""
        return cast("list[Segments]", self._asked("segments", (query, rows)))

    def best_frames(self, picture: ChunkedVideo, top_k: int) -> list[BestFrame]:
        """As `dns_core.retrieval.shards.Shards` says."""
        return cast("list[BestFrame]", self._asked("best_frames", (picture, top_k)))

    def without(self, names: Sequence[str]) -> "HeldShards":
        """Never asked for: `dns_core.retrieval.shards.ShardGroups` leaves whole groups out.

        Raises:
            ShardsLostError: in any case.
        """
        raise ShardsLostError(names, "they are the only ones")

    def _asked(
        self,
        step: str,
        args: tuple[Any, ...],
        options: Mapping[str, Any] | None = None,
        more_s: float = 0.0,
    ) -> Any:
        return self.group.answer(self.names, (self.key, self.fine, step, args, options or {}), more_s)
