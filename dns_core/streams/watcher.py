"""From frames of a stream to events: described hop by hop, searched window by window."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from dns_core.features.blank_frames import without_blank_frames
from dns_core.records import Match, VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.pipeline import FeaturePipeline
from dns_core.streams.events import Event, Events, hits_of
from dns_core.streams.incoming import StreamFrame
from dns_core.streams.windows import Windowing, Windows

_TOP_K = 10


@dataclass(frozen=True, slots=True)
class Report:
    """An event that began or ended.

    Attributes:
        event: as it is now.
        lag_s: from when the first frame of the event came in until now; None once it is too long ago.
    """

    event: Event
    lag_s: float | None


@dataclass(frozen=True, slots=True)
class Rules:
    """What is reported.

    Attributes:
        windowing: how the stream is cut into queries.
        min_score: of a match, in [0, 1].
        budget: of a search.
    """

    windowing: Windowing
    min_score: float
    budget: Budget


class Watcher:
    """Searches one stream.

    Args:
        engine: called for each search, so that the index may be replaced.
        pipeline: describes frames as those of the index were described.
        rules: what is reported.
        name: of the stream.
    """

    def __init__(
        self, engine: Callable[[], Engine], pipeline: FeaturePipeline, rules: Rules, name: str
    ) -> None:
        self._engine, self._pipeline, self._rules = engine, pipeline, rules
        self._windows = Windows(rules.windowing, name)
        # The last window that can show the end of a passage ends a window after it.
        self._events = Events(rules.windowing.hop_s + 1.0)
        self._arrivals: deque[tuple[float, float]] = deque()

    def reports(self, frames: Iterable[StreamFrame]) -> Iterator[Report]:
        """Events as they begin and end, and those still open at the end.

        Args:
            frames: of the stream, on one clock.
        """
        for hop in _hops(frames, self._rules.windowing.hop_s):
            self._note(hop)
            now_s = hop[-1].time_s
            for event in self._events.add(hits_of(self._searched(hop), self._rules.min_score), now_s):
                yield Report(event, self._lag_s(event))
        for event in self._events.finish():
            yield Report(event, None)

    def window(self, hop: list[StreamFrame]) -> VideoFeatures:
        """The window that ends with some more frames, described.

        Args:
            hop: frames that follow those before.
        """
        regions = self._pipeline.extractor.frames_to_regions(np.stack([frame.frame for frame in hop]))
        times_s = np.array([frame.time_s for frame in hop])
        return self._windows.add(self._pipeline.whitening.apply(regions), times_s)

    def _searched(self, hop: list[StreamFrame]) -> tuple[Match, ...]:
        shown = without_blank_frames(self.window(hop))
        if not shown.regions.any():
            return ()
        return self._engine().search(shown, top_k=_TOP_K, budget=self._rules.budget).results

    def _note(self, hop: list[StreamFrame]) -> None:
        """Remember when the frames of the window came in."""
        self._arrivals.extend((frame.time_s, frame.arrived_s) for frame in hop)
        oldest_s = hop[-1].time_s - self._rules.windowing.window_s - self._rules.windowing.hop_s
        while self._arrivals[0][0] < oldest_s:
            self._arrivals.popleft()

    def _lag_s(self, event: Event) -> float | None:
        if event.state == "closed" or not self._arrivals:
            return None
        came_s = next((came for time_s, came in self._arrivals if time_s >= event.start_s), None)
        return None if came_s is None else max(0.0, time.monotonic() - came_s)


def _hops(frames: Iterable[StreamFrame], hop_s: float) -> Iterator[list[StreamFrame]]:
    """Frames that follow one another, a hop at a time; the last may be shorter."""
    waiting: list[StreamFrame] = []
    for frame in frames:
        if waiting and frame.time_s - waiting[0].time_s >= hop_s:
            yield waiting
            waiting = []
        waiting.append(frame)
    if waiting:
        yield waiting
