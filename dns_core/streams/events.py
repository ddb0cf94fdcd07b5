"""Hits of single windows joined into events: one passage of one video, from when it begins until it ends."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dns_core.records import Match

EventState = Literal["open", "closed"]

_SAME_OFFSET_S = 1.5
"""Passages of one video whose times run apart by no more are one."""
_WITHIN = 0.5
"""A stretch of which so much is within an open passage of the same video is that passage: a still picture
resembles itself at every time."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A stretch of a stream that shows a stretch of an indexed video.

    Attributes:
        video_id: of the indexed video.
        score: of the window, calibrated to [0, 1].
        start_s: on the clock of the stream.
        end_s: likewise.
        target_start_s: in the indexed video.
        target_end_s: likewise.
    """

    video_id: str
    score: float
    start_s: float
    end_s: float
    target_start_s: float
    target_end_s: float

    @property
    def offset_s(self) -> float:
        """What separates the two clocks."""
        return (self.target_start_s + self.target_end_s - self.start_s - self.end_s) / 2


@dataclass(frozen=True, slots=True)
class Event:
    """A passage of an indexed video in a stream.

    Attributes:
        number: counts from 1; the same from opening to closing.
        state: ``open`` while it goes on.
        video_id: of the indexed video.
        score: the best of its windows.
        start_s: seconds of the stream.
        end_s: likewise; so far, while it is open.
        target_start_s: seconds of the indexed video.
        target_end_s: likewise.
        n_windows: in which it was seen.
    """

    number: int
    state: EventState
    video_id: str
    score: float
    start_s: float
    end_s: float
    target_start_s: float
    target_end_s: float
    n_windows: int = 1

    @property
    def offset_s(self) -> float:
        """What separates the two clocks."""
        return (self.target_start_s + self.target_end_s - self.start_s - self.end_s) / 2

    def joined(self, hit: Hit) -> "Event":
        """The event with one more window."""
        return replace(
            self,
            score=max(self.score, hit.score),
            start_s=min(self.start_s, hit.start_s),
            end_s=max(self.end_s, hit.end_s),
            target_start_s=min(self.target_start_s, hit.target_start_s),
            target_end_s=max(self.target_end_s, hit.target_end_s),
            n_windows=self.n_windows + 1,
        )


class Events:
    """Joins the hits of one stream; holds the open events only.

    Args:
        gap_s: seconds without a hit after which a passage has ended.
        max_open: events that are open at a time; the one with the earliest end is closed for a new one.
    """

    def __init__(self, gap_s: float, max_open: int = 1000) -> None:
        self._gap_s = gap_s
        self._max_open = max_open
        self._open: list[Event] = []
        self._count = 0

    @property
    def open(self) -> tuple[Event, ...]:
        """Events that go on."""
        return tuple(self._open)

    def add(self, hits: Sequence[Hit], now_s: float) -> Iterator[Event]:
        """Events that a window opens or ends.

        Args:
            hits: of the window, the best first.
            now_s: its end, on the clock of the stream.
        """
        for hit in hits:
            place = next((k for k, event in enumerate(self._open) if self._continues(event, hit)), None)
            if place is not None:
                self._open[place] = self._open[place].joined(hit)
            elif not any(_is_within(event, hit) for event in self._open):
                yield from self._opened(hit)
        yield from self._close(lambda event: now_s - event.end_s > self._gap_s)

    def finish(self) -> Iterator[Event]:
        """Close every event: the stream has ended."""
        yield from self._close(lambda _event: True)

    def _continues(self, event: Event, hit: Hit) -> bool:
        return (
            event.video_id == hit.video_id
            and hit.start_s <= event.end_s + self._gap_s
            and hit.end_s >= event.start_s - self._gap_s
            and abs(event.offset_s - hit.offset_s) <= _SAME_OFFSET_S
        )

    def _opened(self, hit: Hit) -> Iterator[Event]:
        if len(self._open) >= self._max_open:
            first = min(self._open, key=lambda event: event.end_s)
            yield from self._close(lambda event: event is first)
        self._count += 1
        event = Event(
            self._count, "open", hit.video_id, hit.score, hit.start_s, hit.end_s, hit.target_start_s,
            hit.target_end_s,
        )  # fmt: skip
        self._open.append(event)
        yield event

    def _close(self, ended: Callable[[Event], bool]) -> Iterator[Event]:
        closing = [event for event in self._open if ended(event)]
        self._open = [event for event in self._open if not ended(event)]
        yield from (replace(event, state="closed") for event in closing)


def _is_within(event: Event, hit: Hit) -> bool:
    shared_s = min(event.end_s, hit.end_s) - max(event.start_s, hit.start_s)
    return event.video_id == hit.video_id and shared_s >= _WITHIN * (hit.end_s - hit.start_s)


def hits_of(matches: Sequence[Match], min_score: float) -> list[Hit]:
    """A hit for each matched stretch of a window.

    Args:
        matches: of the window; what was not compared finely has no stretch and is none.
        min_score: of a match, in [0, 1].
    """
    return [
        Hit(
            match.video_id, match.score, segment.query_start_s, segment.query_end_s, segment.target_start_s,
            segment.target_end_s,
        )
        for match in matches
        if match.score >= min_score
        for segment in match.segments
    ]  # fmt: skip
