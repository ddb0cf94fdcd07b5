"""An index that may be replaced while it is searched."""

import logging
import time
from pathlib import Path

from dns_core.errors import DnsError
from dns_core.index import open_index
from dns_core.index.versions import current_version
from dns_core.retrieval.engine import Engine
from dns_core.search import Searcher

_log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 1.0


class FollowedIndex:
    """Searches the newest version of an index with the models that it was opened with.

    A version that cannot be used is said once, and the one before is searched on.

    Args:
        folder: of the index.
        models: folder of the models; those that made the index if None.
        look_again_s: seconds between two looks for a newer version.
    """

    def __init__(
        self, folder: Path, models: Path | None = None, *, look_again_s: float = _LOOK_AGAIN_S
    ) -> None:
        self._folder = folder
        self._look_again_s = look_again_s
        self.searcher = Searcher.open(folder, models)
        self._version = self._seen()
        self._looked_s = time.monotonic()

    def engine(self) -> Engine:
        """Engine of the newest version that can be used."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= self._look_again_s:
            self._looked_s = now_s
            self._follow()
        return self.searcher.engine()

    def _follow(self) -> None:
        version = self._seen()
        if version in (self._version, 0):
            return
        self._version = version
        try:
            newer = self.searcher.over(open_index(self._folder))
            newer.engine()
        except DnsError as error:
            _log.warning(
                "the newest version of %s cannot be used, the one before is: %s", self._folder, error
            )
        else:
            self.searcher = newer

    def _seen(self) -> int:
        """Number of the newest version; 0 while none can be read."""
        try:
            return current_version(self._folder)
        except DnsError:
            return 0
