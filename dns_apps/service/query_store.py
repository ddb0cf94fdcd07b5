"""Queries, labels and work as they are kept: one SQLite file, which a restart or a crash leaves whole."""

import errno
import json
import logging
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from dns_apps.service.schemas import Job, Label, LabelRequest, Query, Verdict
from dns_core.store.room import is_full
from dns_ops.settings import make_private_file

_log = logging.getLogger(__name__)

_TABLES = """
CREATE TABLE IF NOT EXISTS query (
    id TEXT PRIMARY KEY, created_at TEXT NOT NULL, state TEXT NOT NULL, n_bytes INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS query_by_time ON query (created_at);
CREATE TABLE IF NOT EXISTS label (
    query_id TEXT NOT NULL, video_id TEXT NOT NULL, query_name TEXT NOT NULL, verdict TEXT NOT NULL,
    labelled_at TEXT NOT NULL,
    labelled_by TEXT NOT NULL DEFAULT '', PRIMARY KEY (query_id, video_id)
) STRICT;
CREATE TABLE IF NOT EXISTS work (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, state TEXT NOT NULL, videos TEXT NOT NULL,
    content TEXT NOT NULL
) STRICT;
"""


class QueryStore:
    """All queries, labels and work on the index of one service.

    Args:
        path: the file; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._path = path
        self._database, self._substitute = _opened(path)

    @property
    def problem(self) -> str:
        """Why nothing is kept at present; empty if all is."""
        return self._substitute

    def put(self, query: Query, n_bytes: int | None = None) -> None:
        """Keep the query as it is now; ``n_bytes`` of its video, unchanged if None."""
        row = (query.id, query.created_at.isoformat(), query.state, n_bytes or 0, query.model_dump_json())
        kept = "" if n_bytes is None else ", n_bytes = excluded.n_bytes"
        self._change(
            "INSERT INTO query VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"  # noqa: S608 # nosec B608 - no word of it comes from outside
            f" state = excluded.state, content = excluded.content{kept}",
            row,
        )

    def get(self, query_id: str) -> Query | None:
        """The query of an id, if it is kept."""
        rows = self._rows("SELECT content FROM query WHERE id = ?", query_id)
        return next(iter(_queries(rows)), None)

    def page(self, limit: int, offset: int) -> tuple[list[Query], int]:
        """Queries from ``offset`` on, the newest first, and how many there are."""
        rows = self._rows(
            "SELECT content FROM query ORDER BY created_at DESC, id LIMIT ? OFFSET ?", limit, offset
        )
        return _queries(rows), self._count("query")

    def unfinished(self) -> list[Query]:
        """Queries that a service which has ended did not finish, oldest first."""
        rows = self._rows(
            "SELECT content FROM query WHERE state IN ('queued', 'running') ORDER BY created_at"
        )
        return _queries(rows)

    def delete(self, query_id: str) -> None:
        """Delete the query; its labels stay."""
        self._change("DELETE FROM query WHERE id = ?", (query_id,))

    def superfluous(self, keep: int, keep_bytes: int) -> list[str]:
        """Ids of finished queries beyond the newest ``keep``, or ``keep_bytes`` of video.

        Those with a title or with labels are kept.
        """
        rows = self._rows(
            "SELECT id FROM (SELECT id, state, content, row_number() OVER newest AS place,"
            " sum(n_bytes) OVER newest AS bytes FROM query WINDOW newest AS (ORDER BY created_at DESC, id))"
            " WHERE (place > ? OR bytes > ?) AND state IN ('done', 'failed')"
            " AND coalesce(json_extract(content, '$.title'), '') = ''"
            " AND id NOT IN (SELECT query_id FROM label)",
            keep,
            keep_bytes,
        )
        return [row[0] for row in rows]

    def put_label(self, request: LabelRequest, query_name: str) -> None:
        """Keep the verdict in place of any before; without one, remove that."""
        key = (request.query_id, request.video_id)
        if request.verdict is None:
            self._change("DELETE FROM label WHERE query_id = ? AND video_id = ?", key)
            return
        row = (*key, query_name, request.verdict, datetime.now(UTC).isoformat(), request.labelled_by)
        self._change(
            "INSERT OR REPLACE INTO label (query_id, video_id, query_name, verdict, labelled_at, labelled_by)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            row,
        )

    def verdicts(self, query_id: str) -> dict[str, Verdict]:
        """Verdict by video of one query."""
        return dict(
            cast(
                "list[tuple[str, Verdict]]",
                self._rows("SELECT video_id, verdict FROM label WHERE query_id = ?", query_id),
            )
        )

    def labelled(self, query: Query) -> Query:
        """The query with the labels of its answers."""
        verdicts = self.verdicts(query.id) if query.answer else {}
        if query.answer is None or not verdicts:
            return query
        matches = tuple(
            m.model_copy(update={"label": verdicts.get(m.video_id)}) for m in query.answer.matches
        )
        return query.model_copy(update={"answer": query.answer.model_copy(update={"matches": matches})})

    def labels(self, query_id: str = "", limit: int = -1, offset: int = 0) -> tuple[list[Label], int]:
        """Labels from ``offset`` on, the newest first, and how many there are.

        Args:
            query_id: of one query; of all if empty.
            limit: at most so many; all if negative.
            offset: of the first.
        """
        where, key = ("WHERE query_id = ?", (query_id,)) if query_id else ("", ())
        rows = self._rows(
            "SELECT query_id, query_name, video_id, verdict, labelled_at, labelled_by"  # noqa: S608 # nosec B608 - no word of it comes from outside
            f" FROM label {where} ORDER BY labelled_at DESC, query_id, video_id LIMIT ? OFFSET ?",
            *key,
            limit,
            offset,
        )
        total = self._rows(f"SELECT count(*) FROM label {where}", *key)  # noqa: S608 # nosec B608 - no word of it comes from outside
        return [Label.model_validate(dict(zip(_LABEL, row, strict=True))) for row in rows], int(total[0][0])

    def put_work(self, job: Job, video_ids: Sequence[str] = ()) -> None:
        """Work on the index is kept as it is now; of which videos is said when it is new."""
        self._change(
            "INSERT INTO work (id, state, videos, content) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state, content = excluded.content",
            (job.id, job.state, json.dumps(list(video_ids)), job.model_dump_json()),
        )

    def work(self, limit: int, offset: int) -> tuple[list[Job], int]:
        """Work on the index from ``offset`` on, the newest first, and how much there is."""
        rows = self._rows("SELECT content FROM work ORDER BY number DESC LIMIT ? OFFSET ?", limit, offset)
        return [Job.model_validate_json(row[0]) for row in rows], self._count("work")

    def job(self, job_id: str) -> Job | None:
        """The work of an id, if it is kept."""
        rows = self._rows("SELECT content FROM work WHERE id = ?", job_id)
        return Job.model_validate_json(rows[0][0]) if rows else None

    def unfinished_work(self) -> list[tuple[Job, list[str]]]:
        """Work that a service which has ended did not finish, with its videos, oldest first."""
        rows = self._rows(
            "SELECT content, videos FROM work WHERE state IN ('queued', 'running') ORDER BY number"
        )
        return [(Job.model_validate_json(row[0]), json.loads(row[1])) for row in rows]

    def probe(self) -> None:
        """Check that what is kept can be read.

        Raises:
            sqlite3.Error: it cannot.
        """
        self._count("query")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _count(self, table: str) -> int:
        return int(self._rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 # nosec B608 - no word of it comes from outside

    def _rows(self, statement: str, *values: object) -> list[tuple[str, ...]]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    def _change(self, statement: str, values: Sequence[object]) -> None:
        with self._lock:
            if self._substitute:  # there may be room by now
                self._database.close()
                self._database, self._substitute = _opened(self._path)
            if self._substitute:
                raise OSError(errno.ENOSPC, self._substitute, str(self._path))
            self._database.execute(statement, values)


def _queries(rows: Sequence[Sequence[str]]) -> list[Query]:
    """The queries of rows; one that another version of this software wrote otherwise is left out."""
    found = []
    for row in rows:
        try:
            found.append(Query.model_validate_json(row[0]))
        except ValidationError as error:
            _log.warning("a query that was kept cannot be read: %s", error.title)
    return found


def _opened(path: Path) -> tuple[sqlite3.Connection, str]:
    """The file, or a copy of it in memory and why it cannot be written.

    A file that is no database, or a damaged one, is set aside.
    """
    try:
        return _connected(make_private_file(path)), ""  # SQLite gives its other files the same mode
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            return _copy_in_memory(path), str(error)
        if not _is_damaged(error):
            raise
        aside = path.with_name(f"{path.stem}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}{path.suffix}")
        for tail in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + tail).rename(aside.with_name(aside.name + tail))
        _log.warning("%s is damaged (%s); it lies at %s now, and a new one is begun", path, error, aside)
        return _connected(make_private_file(path)), ""


def _is_damaged(error: Exception) -> bool:
    """Whether a file is no database, or one of another form; a busy one is not damaged."""
    damaged = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)  # ours has none
    return isinstance(error, sqlite3.Error) and code & 0xFF in damaged


def _connected(path: Path | str) -> sqlite3.Connection:
    # A lock of the owner lets one thread in at a time, whichever it is.
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        _make_tables(database)
        for table, columns in _COLUMNS.items():
            database.execute(f"SELECT {columns} FROM {table} LIMIT 1")  # noqa: S608 # nosec B608 - no word of it comes from outside
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
    except BaseException:
        database.close()
        raise
    return database


def _copy_in_memory(path: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as kept,
    ):
        kept.backup(copy)
    _make_tables(copy)
    return copy


def _make_tables(database: sqlite3.Connection) -> None:
    """Make the tables that are not there; one of before, that does not say who labelled, gets the column."""
    database.executescript(_TABLES)
    columns = {row[1] for row in database.execute("PRAGMA table_info(label)")}
    if "verdict" in columns and "labelled_by" not in columns:
        database.execute("ALTER TABLE label ADD COLUMN labelled_by TEXT NOT NULL DEFAULT ''")


_COLUMNS = {
    "query": "id, created_at, state, n_bytes, content",
    "label": "query_id, video_id, query_name, verdict, labelled_at, labelled_by",
    "work": "number, id, state, videos, content",
}
_LABEL = ("query_id", "query_name", "video_id", "verdict", "labelled_at", "labelled_by")
