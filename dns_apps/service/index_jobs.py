"""Changing the index while it is served: one change at a time, each a new version that is then served."""

import logging
import secrets
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from dns_apps.service.live_index import LoadedIndex
from dns_apps.service.query_runner import QueryRunner
from dns_apps.service.query_store import QueryStore
from dns_apps.service.refusals import RefusalError, not_found, problem_of
from dns_apps.service.schemas import Job
from dns_core.errors import DnsError, VideoError
from dns_core.index import EncodedVideo, add_videos, remove_videos
from dns_core.records import Quarantined
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.pipeline import encoder_of
from dns_core.store.room import is_full
from dns_core.video.folders import VideoFolders

_log = logging.getLogger(__name__)

_MESSAGE_LINES = 20


class IndexJobs:
    """Adds and removes videos.

    Args:
        query_runner: describes what is added; has the index that is changed, and then served again.
        video_folders: has the files.
        query_store: keep what was asked for until it is done, and how it ended.
    """

    def __init__(
        self, query_runner: QueryRunner, video_folders: VideoFolders, query_store: QueryStore
    ) -> None:
        self._live_index = query_runner.live_index
        self._query_runner = query_runner
        self._video_folders = video_folders
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="index")
        self._query_store = query_store
        self._live: dict[str, Job] = {}
        self._changing = threading.Lock()
        self._closed = threading.Event()

    def add(self, video_ids: Sequence[str]) -> Job:
        """Work that adds files of the library has been taken in.

        Raises:
            RefusalError: a video is in the index already or comes twice (409), or has no file (404).
        """
        rows = self._live_index.in_service().rows
        known = sorted({v for v in video_ids if v in rows})
        if known or len(set(video_ids)) < len(video_ids):
            raise RefusalError(HTTPStatus.CONFLICT, f"already in the index, or named twice: {known[:5]}")
        missing = [video_id for video_id in video_ids if self._video_folders.find(video_id) is None]
        if missing:
            raise not_found(f"the video folders hold no file {missing[0]!r} ({len(missing)} such)")
        job = Job(id=secrets.token_hex(12), state="queued", progress=0.0)
        self._query_store.put_work(job, video_ids)
        self._submit(job, video_ids)
        return job

    def resume(self) -> None:
        """Do what a service that has ended left undone."""
        for job, video_ids in self._query_store.unfinished_work():
            self._submit(job, video_ids)

    def page(self, limit: int, offset: int) -> tuple[list[Job], int]:
        """Work from ``offset`` on, the newest first, as it stands, and how much there is."""
        kept, total = self._query_store.work(limit, offset)
        return [self._live.get(job.id, job) for job in kept], total

    def job(self, job_id: str) -> Job:
        """How far work has come.

        Raises:
            RefusalError: there is none of that id (404).
        """
        job = self._live.get(job_id) or self._query_store.job(job_id)
        if job is None:
            raise not_found("there is no work of that id")
        return job

    def remove(self, video_id: str) -> LoadedIndex:
        """The index no longer holds a video, and is served without it.

        Raises:
            RefusalError: it does not hold it (404), or is being changed (409).
        """
        if not self._changing.acquire(blocking=False):
            raise RefusalError(HTTPStatus.CONFLICT, "the index is being changed; try again later")
        try:
            loaded = self._live_index.in_service()
            loaded.row(video_id)
            remove_videos(loaded.folder, [video_id])
            return self._live_index.reload()
        finally:
            self._changing.release()

    def close(self) -> None:
        """Stop all work; the next service resumes what was not finished, and the index is as before it."""
        self._closed.set()
        self._pool.shutdown(cancel_futures=True)

    def _submit(self, job: Job, video_ids: Sequence[str]) -> None:
        self._live[job.id] = job
        self._pool.submit(self._work, job.id, video_ids)

    def _work(self, job_id: str, video_ids: Sequence[str]) -> None:
        messages: deque[str] = deque(maxlen=_MESSAGE_LINES)
        try:
            with self._changing:
                loaded = self._add(job_id, video_ids, messages)
            made = {"version": loaded.index.manifest.version, "release": loaded.release}
            self._show(job_id, messages, state="done", progress=1.0, **made)
        except Exception as error:  # noqa: BLE001 - the work reports any error as its failure
            if self._closed.is_set():
                return  # the next service resumes it
            if not (isinstance(error, DnsError) or is_full(error)):
                _log.exception("adding videos met a defect")
            self._show(job_id, messages, state="failed", problem=problem_of(error))
        try:
            self._query_store.put_work(self._live[job_id])
        except sqlite3.Error as error:  # it stays in memory as it ended
            _log.warning("work %s cannot be kept: %s", job_id, error)
        else:
            del self._live[job_id]

    def _add(self, job_id: str, video_ids: Sequence[str], messages: deque[str]) -> LoadedIndex:
        """What is served now, with the videos; a release that was promoted meanwhile gets them too."""
        refused: set[str] = set()
        loaded = self._live_index.in_service()
        while missing := [v for v in video_ids if v not in loaded.rows and v not in refused]:
            refused |= self._add_missing(loaded, job_id, missing, messages)
            loaded = self._live_index.reload()
        return loaded

    def _add_missing(
        self, loaded: LoadedIndex, job_id: str, missing: Sequence[str], messages: deque[str]
    ) -> frozenset[str]:
        """Ids of the videos that could not be added, and are in quarantine now."""
        encoder = encoder_of(loaded.index.manifest, loaded.bundle)
        quarantine: list[Quarantined] = []

        def records() -> Iterator[EncodedVideo]:
            for number, video_id in enumerate(missing):
                self._show(job_id, messages, state="running", progress=number / len(missing))
                try:
                    yield self._encoded(loaded, encoder, video_id)
                except VideoError as error:
                    quarantine.append(Quarantined(video_id, error.reason, error.detail))
                    messages.append(f"quarantined {video_id}: {error}")

        add_videos(loaded.folder, records(), models=encoder.origin.models, quarantine=quarantine)
        messages.append(
            f"{len(missing) - len(quarantine)} of {len(missing)} videos added to {_named(loaded)}"
        )
        return frozenset(row.video_id for row in quarantine)

    def _show(self, job_id: str, messages: deque[str], **changes: object) -> None:
        self._live[job_id] = self._live[job_id].model_copy(update={**changes, "messages": tuple(messages)})

    def _encoded(self, loaded: LoadedIndex, encoder: VideoEncoder, video_id: str) -> EncodedVideo:
        if self._closed.is_set():
            raise RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "the service was stopped")
        file = self._video_folders.find(video_id)
        if file is None:
            raise VideoError("missing", "the file is not there any more")
        features = self._query_runner.features(
            loaded, file, start_s=0.0, stop_s=None, on_progress=lambda _: None
        )
        return self._query_runner.encoded(encoder, video_id, features, file)


def _named(loaded: LoadedIndex) -> str:
    return f"the index of release {loaded.release}" if loaded.release else "the index"
