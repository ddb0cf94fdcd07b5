"""Queries as they are kept: in the records or, while nothing can be written there, in memory."""

import logging
import sqlite3
import threading

from dns_apps.service.query_store import QueryStore
from dns_apps.service.schemas import Query

_log = logging.getLogger(__name__)

_MOST_WAITING = 200


class Kept:
    """Every query that the service knows of, the latest state of each.

    A full disk costs no answer: what cannot be written waits here, is seen as if it were written, and is
    written as soon as there is room. A restart before that forgets it.

    Args:
        records: where queries are kept.
    """

    def __init__(self, query_store: QueryStore) -> None:
        self._query_store = query_store
        self._waiting: dict[str, tuple[Query, int | None]] = {}
        self._lock = threading.RLock()

    @property
    def n_waiting(self) -> int:
        """Queries that could not be written so far."""
        return len(self._waiting)

    @property
    def are_all_known(self) -> bool:
        """Whether the records could be opened whole; else a query that is not found may still exist."""
        return not self._query_store.problem

    def put(self, query: Query, n_bytes: int | None = None) -> None:
        """Note the query as it is now; ``n_bytes`` of its video, unchanged if None."""
        with self._lock:
            self.hold(query, n_bytes)
            self.write()

    def hold(self, query: Query, n_bytes: int | None = None) -> None:
        """As `put`, to be written later."""
        with self._lock:
            _, before = self._waiting.pop(query.id, (None, None))
            self._waiting[query.id] = (query, before if n_bytes is None else n_bytes)

    def write(self) -> None:
        """Write what waits, as far as there is room."""
        with self._lock:
            for query_id, (query, n_bytes) in list(self._waiting.items()):
                try:
                    self._query_store.put(query, n_bytes)
                except (sqlite3.Error, OSError) as error:
                    if len(self._waiting) == 1:
                        _log.warning("queries cannot be written, and wait in memory: %s", error)
                    break
                del self._waiting[query_id]
            for query_id in list(self._waiting)[:-_MOST_WAITING]:
                del self._waiting[query_id]

    def get(self, query_id: str) -> Query | None:
        """The query of an id, if it is known."""
        with self._lock:
            if query_id in self._waiting:
                return self._waiting[query_id][0]
            return self._query_store.get(query_id)

    def page(self, limit: int, offset: int) -> tuple[list[Query], int]:
        """Queries from ``offset`` on, the newest first, and how many there are."""
        with self._lock:
            found, total = self._query_store.page(limit, offset)
            new = [query for query, _ in self._waiting.values() if self._query_store.get(query.id) is None]
            new.sort(key=lambda query: query.created_at, reverse=True)
            seen = [self._waiting[query.id][0] if query.id in self._waiting else query for query in found]
        return (new + seen if offset == 0 else seen)[:limit], total + len(new)

    def delete(self, query_id: str) -> None:
        """Delete the query; its labels stay."""
        with self._lock:
            self._waiting.pop(query_id, None)
            self._query_store.delete(query_id)

    def unfinished(self) -> list[Query]:
        """Queries that a service which has ended did not finish, oldest first."""
        return self._query_store.unfinished()

    def superfluous(self, keep: int, keep_bytes: int) -> list[str]:
        """As `QueryStore.superfluous`, once all is written."""
        return [] if self._waiting else self._query_store.superfluous(keep, keep_bytes)
