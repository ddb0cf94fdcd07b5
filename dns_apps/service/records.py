"""Queries, labels and work as they are kept: one SQLite file, which a restart or a crash leaves whole."""

import json
import sqlite3
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from dns_apps.service.schemas import Job, Label, LabelRequest, Query, Verdict

_TABLES = """
CREATE TABLE IF NOT EXISTS query (
    id TEXT PRIMARY KEY, created_at TEXT NOT NULL, state TEXT NOT NULL, n_bytes INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS query_by_time ON query (created_at);
CREATE TABLE IF NOT EXISTS label (
    query_id TEXT NOT NULL, video_id TEXT NOT NULL, query_name TEXT NOT NULL, verdict TEXT NOT NULL,
    labelled_at TEXT NOT NULL, PRIMARY KEY (query_id, video_id)
) STRICT;
CREATE TABLE IF NOT EXISTS work (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, state TEXT NOT NULL, videos TEXT NOT NULL,
    content TEXT NOT NULL
) STRICT;
"""


class Records:
    """All queries, labels and work on the index of one service.

    Args:
        path: the file; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        # The lock lets one thread in at a time, whichever it is.
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_TABLES)

    def put(self, query: Query, n_bytes: int | None = None) -> None:
        """The query is kept as it is now; ``n_bytes`` of its video, unchanged if None."""
        row = (query.id, query.created_at.isoformat(), query.state, n_bytes or 0, query.model_dump_json())
        kept = "" if n_bytes is None else ", n_bytes = excluded.n_bytes"
        self._change(
            "INSERT INTO query VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"  # noqa: S608 - own words
            f" state = excluded.state, content = excluded.content{kept}",
            row,
        )

    def get(self, query_id: str) -> Query | None:
        """The query of an id, if it is kept."""
        rows = self._rows("SELECT content FROM query WHERE id = ?", query_id)
        return Query.model_validate_json(rows[0][0]) if rows else None

    def page(self, limit: int, offset: int) -> tuple[list[Query], int]:
        """Queries from ``offset`` on, the newest first, and how many there are."""
        rows = self._rows(
            "SELECT content FROM query ORDER BY created_at DESC, id LIMIT ? OFFSET ?", limit, offset
        )
        return [Query.model_validate_json(row[0]) for row in rows], self._count("query")

    def unfinished(self) -> list[Query]:
        """Queries that a service which has ended did not finish, oldest first."""
        rows = self._rows(
            "SELECT content FROM query WHERE state IN ('queued', 'running') ORDER BY created_at"
        )
        return [Query.model_validate_json(row[0]) for row in rows]

    def delete(self, query_id: str) -> None:
        """The query is forgotten; its labels stay."""
        self._change("DELETE FROM query WHERE id = ?", (query_id,))

    def superfluous(self, keep: int, keep_bytes: int) -> list[str]:
        """Ids of finished queries without labels beyond the newest ``keep``, or ``keep_bytes`` of video."""
        rows = self._rows(
            "SELECT id FROM (SELECT id, state, row_number() OVER newest AS place,"
            " sum(n_bytes) OVER newest AS bytes FROM query WINDOW newest AS (ORDER BY created_at DESC, id))"
            " WHERE (place > ? OR bytes > ?) AND state IN ('done', 'failed')"
            " AND id NOT IN (SELECT query_id FROM label)",
            keep,
            keep_bytes,
        )
        return [row[0] for row in rows]

    def put_label(self, request: LabelRequest, query_name: str) -> None:
        """The verdict is kept in place of any before; without one, there is none."""
        key = (request.query_id, request.video_id)
        if request.verdict is None:
            self._change("DELETE FROM label WHERE query_id = ? AND video_id = ?", key)
            return
        row = (*key, query_name, request.verdict, datetime.now(UTC).isoformat())
        self._change("INSERT OR REPLACE INTO label VALUES (?, ?, ?, ?, ?)", row)

    def verdicts(self, query_id: str) -> dict[str, Verdict]:
        """Verdict by video of one query."""
        return dict(
            cast(
                "list[tuple[str, Verdict]]",
                self._rows("SELECT video_id, verdict FROM label WHERE query_id = ?", query_id),
            )
        )

    def labels(self, query_id: str = "", limit: int = -1, offset: int = 0) -> tuple[list[Label], int]:
        """Labels from ``offset`` on, the newest first, and how many there are.

        Args:
            query_id: of one query; of all if empty.
            limit: at most so many; all if negative.
            offset: of the first.
        """
        where, key = ("WHERE query_id = ?", (query_id,)) if query_id else ("", ())
        rows = self._rows(
            "SELECT query_id, query_name, video_id, verdict, labelled_at"  # noqa: S608 - own words
            f" FROM label {where} ORDER BY labelled_at DESC, query_id, video_id LIMIT ? OFFSET ?",
            *key,
            limit,
            offset,
        )
        total = self._rows(f"SELECT count(*) FROM label {where}", *key)  # noqa: S608 - own words
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

    def close(self) -> None:
        """The file is whole and closed."""
        with self._lock:
            self._database.close()

    def _count(self, table: str) -> int:
        return int(self._rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - own words

    def _rows(self, statement: str, *values: object) -> list[tuple[str, ...]]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    def _change(self, statement: str, values: Sequence[object]) -> None:
        with self._lock:
            self._database.execute(statement, values)


_LABEL = ("query_id", "query_name", "video_id", "verdict", "labelled_at")
