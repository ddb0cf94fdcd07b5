"""The queries of one service: taken in, worked on, kept, looked at again, forgotten."""

import logging
import secrets
import shutil
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dns_apps.service.feature_memory import FeatureMemory
from dns_apps.service.kept import Kept
from dns_apps.service.live_index import LoadedIndex
from dns_apps.service.query_runner import OnProgress, QueryRunner
from dns_apps.service.query_store import QueryStore
from dns_apps.service.refusals import RefusalError, not_found, problem_of
from dns_apps.service.schemas import Query, QueryOptions, StoredExcerpt, TimeRange
from dns_apps.service.slots import Slot, Slots
from dns_core.errors import DnsError
from dns_core.records import VideoFeatures
from dns_core.store.room import is_full
from dns_core.video.folders import VideoFolders
from dns_ops.service_settings import ServiceSettings
from dns_ops.settings import make_private_folder

_log = logging.getLogger(__name__)

_SPARE_BYTES = 1 << 20
"""Of the disk, for what is known of the queries."""


class _Cancelled(Exception):  # noqa: N818 - what was asked for, and no error
    """The query was deleted while it was worked on."""


@dataclass
class _Live:
    """A query that waits or is worked on."""

    query: Query
    cancelled: threading.Event = field(default_factory=threading.Event)

    def advance(self, share: float) -> None:
        if self.cancelled.is_set():
            raise _Cancelled
        self.query = self.query.model_copy(update={"state": "running", "progress": share})


class QueryJobs:
    """Takes queries in, a limited number at a time.

    Args:
        query_store: keeps what is known of queries.
        folder: keeps the uploaded videos.
        video_folders: the files of stored videos.
        query_runner: describes and searches.
        settings: the limits.
    """

    def __init__(
        self,
        query_store: QueryStore,
        query_runner: QueryRunner,
        *,
        folder: Path,
        video_folders: VideoFolders,
        settings: ServiceSettings,
    ) -> None:
        self._folder = folder
        self._query_store = query_store
        self._kept = Kept(query_store)
        self._video_folders = video_folders
        self._query_runner = query_runner
        self._settings = settings
        self._slots = Slots(settings.max_waiting)
        self._pool = ThreadPoolExecutor(settings.n_workers, thread_name_prefix="query")
        self._live: dict[str, _Live] = {}
        self._lock = threading.Lock()
        self._features = FeatureMemory()
        make_private_folder(folder)

    @property
    def n_live(self) -> int:
        """Queries that wait or are worked on."""
        return len(self._live)

    def admit(self) -> Slot:
        """A place for one query, before any of it has been read.

        Raises:
            RefusalError: as many as may be are at work or waiting (429).
        """
        return self._slots.take()

    def has_room(self, n_bytes: int) -> bool:
        """Whether there is room for an upload."""
        return shutil.disk_usage(self._folder).free >= n_bytes + _SPARE_BYTES

    def new(self, name: str, searched: TimeRange, options: QueryOptions) -> Query:
        """A query by a stored video or by an upload, which is to follow; not yet submitted."""
        source = searched if isinstance(searched, StoredExcerpt) else None
        return Query(
            id=secrets.token_hex(12), name=name, source=source, part=TimeRange() if source else searched,
            options=options, state="queued", progress=0.0, created_at=datetime.now(UTC),
        )  # fmt: skip

    def upload_path(self, query_id: str) -> Path:
        """Where the video of a query by upload is kept."""
        return self._folder / f"{query_id}.video"

    def take_in(self, query: Query) -> Future[Query]:
        """A query that has come in whole is worked on, if there is a place; a slow sender holds none.

        Raises:
            RefusalError: as `admit`; its video is not kept then.
        """
        slot = None
        try:
            slot = self.admit()
            return self.submit(slot, query)
        except BaseException:
            if slot is not None:
                slot.release()
            self.upload_path(query.id).unlink(missing_ok=True)
            raise

    def submit(self, slot: Slot, query: Query) -> Future[Query]:
        """The query is kept and will be worked on; the slot is given back when that ends.

        If it raises, nothing of the query is left, and its slot is the caller's again.
        """
        try:
            path = self.upload_path(query.id)
            self._kept.put(query, path.stat().st_size if query.source is None else 0)
            live = self._live[query.id] = _Live(query)
            return self._pool.submit(self._work, live, slot)
        except BaseException:
            self._live.pop(query.id, None)
            self._forget(query.id)
            raise

    def resume(self) -> None:
        """Resume what a service that has ended left undone; remove files that belong to no query."""
        for query in self._kept.unfinished():
            if self._file(query) is None:
                lost = RefusalError(503, "the service was restarted before the query was answered; ask again")
                self._kept.put(_failed(query, lost))
            else:  # there may be more than slots, if settings changed
                self.submit(self._slots.spare(), query)
        if self._kept.are_all_known:
            for file in self._folder.iterdir():
                if self._kept.get(file.stem) is None:
                    file.unlink(missing_ok=True)

    def get(self, query_id: str) -> Query:
        """The query as it stands, its answers with what people said of them.

        Raises:
            RefusalError: there is none of that id (404).
        """
        live = self._live.get(query_id)
        query = live.query if live and not live.cancelled.is_set() else self._kept.get(query_id)
        if query is None:
            raise not_found("there is no query of that id")
        return self._query_store.labelled(query)

    def page(self, limit: int, offset: int) -> tuple[list[Query], int]:
        """Queries from ``offset`` on, the newest first, as they stand, and how many there are."""
        kept, total = self._kept.page(limit, offset)
        return [live.query if (live := self._live.get(query.id)) else query for query in kept], total

    def delete(self, query_id: str) -> None:
        """Stop the query if it runs, and delete it with its video.

        Raises:
            RefusalError: there is none of that id (404).
        """
        self.get(query_id)
        with self._lock:
            if live := self._live.get(query_id):
                live.cancelled.set()
            self._forget(query_id)

    def catch_up(self) -> int:
        """Queries that still cannot be written, after another attempt."""
        self._kept.write()
        return self._kept.n_waiting

    def file(self, query_id: str) -> Path:
        """The query's video.

        Raises:
            RefusalError: there is no such query, or its video is not there any more (404).
        """
        path = self._file(self.get(query_id))
        if path is None:
            raise not_found("the video of the query is not there any more")
        return path

    def features(self, loaded: LoadedIndex, query_id: str) -> VideoFeatures:
        """The described video of a query, from memory or from its file.

        Raises:
            RefusalError: as `file`.
            VideoError: the file cannot be decoded any more.
        """
        return self._described(loaded, self.get(query_id), self.file(query_id), lambda _: None)

    def share_features(self, query_id: str, other_id: str) -> None:
        """Use what is remembered of a query's video for another query by the same video."""
        self._features.share(query_id, other_id)

    def put_title(self, query_id: str, title: str) -> Query:
        """The query, kept under this name from now on; for a while only if it is empty.

        Raises:
            RefusalError: there is none of that id (404), or it is not answered yet (409).
        """
        with self._lock:
            if self.get(query_id).state != "done" or (kept := self._kept.get(query_id)) is None:
                raise RefusalError(409, "expected a query that is answered, found one that is not")
            self._kept.put(kept.model_copy(update={"title": title.strip()}))
        return self.get(query_id)

    def close(self) -> None:
        """Nothing is worked on; what was not answered is resumed by the next service."""
        for live in list(self._live.values()):
            live.cancelled.set()
        self._pool.shutdown(cancel_futures=True)

    def _work(self, live: _Live, slot: Slot) -> Query:
        query = live.query
        try:
            began_s = time.perf_counter()
            live.advance(0.0)
            loaded, file = self._query_runner.live_index.current(), self.file(query.id)
            features = self._described(loaded, query, file, live.advance)
            answer = self._query_runner.answer(loaded, file, features, query.options, began_s=began_s)
            whole_s = features.whole.times_s
            duration_s = float(whole_s[-1] - whole_s[0]) + 1 / loaded.pipeline.sampling.fps
            done = {"state": "done", "progress": 1.0, "answer": answer, "duration_s": duration_s}
            query = query.model_copy(update={**done, "finished_at": datetime.now(UTC)})
        except _Cancelled:
            return query
        except Exception as error:  # noqa: BLE001 - the query reports any error as its failure
            if not (isinstance(error, DnsError) or is_full(error)):
                _log.exception("query %s met a defect", query.id)
            query = _failed(query, error)
        finally:
            try:
                self._finish(live, query)
            except Exception:  # noqa: BLE001 - what could not be tidied up may not cost the answer
                _log.exception("query %s could not be tidied up after", query.id)
                self._kept.hold(query)
            finally:
                self._live.pop(query.id, None)
                slot.release()
        return query

    def _described(
        self, loaded: LoadedIndex, query: Query, file: Path, on_progress: OnProgress
    ) -> VideoFeatures:
        key = (query.id, loaded.bundle.fingerprint("whitening"))
        if (kept := self._features.get(key)) is None:
            part = query.searched
            kept = self._query_runner.features(
                loaded, file, start_s=part.start_s, stop_s=part.stop_s, on_progress=on_progress
            )
            self._features.put(key, kept)
        return kept

    def _finish(self, live: _Live, query: Query) -> None:
        with self._lock:
            if live.cancelled.is_set():
                return
            self._kept.put(query)
            if query.state == "failed":
                self.upload_path(query.id).unlink(missing_ok=True)
            for old in self._kept.superfluous(self._settings.keep_queries, self._settings.keep_bytes):
                self._forget(old)

    def _forget(self, query_id: str) -> None:
        # The video first: it makes room, without which nothing can be written, not even that it is gone.
        self.upload_path(query_id).unlink(missing_ok=True)
        self._kept.delete(query_id)

    def _file(self, query: Query) -> Path | None:
        if query.source is not None:
            return self._video_folders.find(query.source.video_id)
        path = self.upload_path(query.id)
        return path if path.is_file() else None


def _failed(query: Query, error: Exception) -> Query:
    found = {"state": "failed", "problem": problem_of(error), "finished_at": datetime.now(UTC)}
    return query.model_copy(update=found)
