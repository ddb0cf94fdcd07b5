"""The described videos of the latest queries, so that looking at an answer does not decode them again."""

import threading
from collections import OrderedDict
from contextlib import suppress

from dns_core.records import VideoFeatures

_MOST_BYTES = 64 << 20


class FeatureMemory:
    """The described videos of the latest queries, within a limit of memory."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], VideoFeatures] = OrderedDict()
        self._lock = threading.Lock()
        self._n_bytes = 0

    def get(self, key: tuple[str, str]) -> VideoFeatures | None:
        """The described video of a query and whitening, if it is remembered."""
        with self._lock:
            with suppress(KeyError):
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple[str, str], features: VideoFeatures) -> None:
        """Remember it, and forget what was not asked for longest."""
        with self._lock:
            self._drop(key)
            self._kept[key] = features
            self._n_bytes += features.regions.nbytes
            while self._n_bytes > _MOST_BYTES:
                self._drop(next(iter(self._kept)))

    def share(self, query_id: str, other_id: str) -> None:
        """Remember for another query what is remembered of this one: both are of one video."""
        with self._lock:
            found = [(key, features) for key, features in self._kept.items() if key[0] == query_id]
        for (_, whitening), features in found:
            self.put((other_id, whitening), features)

    def _drop(self, key: tuple[str, str]) -> None:
        if (gone := self._kept.pop(key, None)) is not None:
            self._n_bytes -= gone.regions.nbytes
