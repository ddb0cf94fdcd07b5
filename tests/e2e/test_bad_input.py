"""Folders as people have them, full disks and Ctrl-C: the rest is served, and nothing is left half done."""

import errno
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame

from dns_core.errors import InputError
from dns_core.params import load_params, run_stage
from dns_core.workspace import StageContext, Workspace

Dns = Any  # a fixture of conftest.py, as are the others of type Any

BAD = {
    "audio.mp4": "no_video_stream",
    "corrupt.mp4": "corrupt",
    "empty.mp4": "empty",
    "folder.mp4": "not_a_file",
    "missing.mp4": "missing",
    "no-frame.avi": "no_frames",
    "notes.txt": "not_a_video",
    "text.mp4": "not_a_video",
    "truncated.mp4": "corrupt",
}
GOOD = [
    "a/same.mp4",
    "b/same.mp4",
    "copy-1.mp4",
    "copy-2.mp4",
    "folder.mp4/inside.mp4",
    "good.mp4",
    "named-wrongly.txt",
    "naïve\n日本.mp4",
    "one-frame.mp4",
    "one-pixel.mkv",
    "same.mkv",
    "\\xff.mp4",
]


def write_frames(path: Path, n_frames: int, size_px: int, codec: str, pixels: str) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=5)
        stream.width = stream.height = size_px
        stream.pix_fmt = pixels
        container.start_encoding()
        for number in range(n_frames):
            picture = np.full((size_px, size_px, 3), 40 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
            frame.pts = number
            container.mux(stream.encode(frame))
        if n_frames:
            container.mux(stream.encode(None))


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        chunk = AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        chunk.sample_rate = 8000
        container.mux(stream.encode(chunk))
        container.mux(stream.encode(None))


def write_damaged(folder: Path, whole: Path) -> None:
    content = whole.read_bytes()
    (folder / "truncated.mp4").write_bytes(content[: len(content) // 2])
    start = content.index(b"mdat") + 4
    size = int.from_bytes(content[start - 8 : start - 4], "big") - 8
    noise = np.random.default_rng(0).bytes(size)
    (folder / "corrupt.mp4").write_bytes(content[:start] + noise + content[start + size :])


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    """Everything of BAD and GOOD."""
    root = tmp_path / "videos"
    sources = sorted((data / "test" / "database").iterdir())
    copied = [name for name in GOOD if "one-" not in name and "\\" not in name]
    copied.remove("copy-2.mp4")
    for source, name in zip(sources, copied, strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / name)
    shutil.copy(root / "copy-1.mp4", root / "copy-2.mp4")
    shutil.copy(sources[0], root / os.fsdecode(b"\xff.mp4"))
    write_frames(root / "one-frame.mp4", 1, 64, "libx264", "yuv420p")
    write_frames(root / "one-pixel.mkv", 5, 1, "ffv1", "bgr0")
    write_frames(root / "no-frame.avi", 0, 64, "libx264", "yuv420p")
    write_sound(root / "audio.mp4")
    write_damaged(root, sources[0])
    (root / "empty.mp4").touch()
    (root / "missing.mp4").symlink_to(root / "nowhere.mp4")
    for name in ("notes.txt", "text.mp4"):
        (root / name).write_text("This is no video.\n" * 100)
    (root / ".hidden.mp4").write_text("no business of ours")
    return root


def test_build_indexes_the_good_and_lists_the_bad_with_reasons(
    dns: Dns, folder: Path, models: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    result = dns("index", "build", "--videos", folder, "--out", index, "--models", models, "--json")
    assert result.exit_code == 0
    built = json.loads(result.stdout)
    assert {row["video_id"]: row["reason"] for row in built["quarantine"]} == BAD
    assert all(row["detail"] for row in built["quarantine"])
    assert built["n_videos"] == len(GOOD)
    for name, reason in BAD.items():
        assert f"quarantined {name}: {reason}: " in result.stderr
    assert dns("index", "verify", index).exit_code == 0
    info = json.loads(dns("index", "info", index, "--json").stdout)
    assert (info["n_videos"], info["n_quarantined"]) == (len(GOOD), len(BAD))
    assert "no_video_stream" in dns("index", "info", index).stdout

    answer = dns("query", folder / "copy-1.mp4", "--index", index, "--models", models, "--json", "--top", 0)
    found = json.loads(answer.stdout)
    assert sorted(row["video_id"] for row in found["results"]) == sorted(GOOD)
    # A text beside the videos, named as one, is none that is missed.
    assert found["coverage"] == len(GOOD) / (len(GOOD) + len(BAD) - 1)
    scores = {row["video_id"]: row["score"] for row in found["results"]}
    assert all(0 <= score <= 1 for score in scores.values())
    coarse = dns(
        "query", folder / "copy-1.mp4", "--index", index, "--models", models, "--json", "--budget", 0
    )
    first, second = json.loads(coarse.stdout)["results"][:2]
    assert [first["video_id"], second["video_id"]] == ["copy-1.mp4", "copy-2.mp4"]
    assert first["score"] == second["score"]
    table = dns("query", folder / "naïve\n日本.mp4", "--index", index, "--models", models, "--top", 0).stdout
    assert "naïve\\n日本.mp4" in table


def test_bad_queries_fail_one_by_one(
    dns: Dns, folder: Path, finished: Path, models: Path, data: Path
) -> None:
    good = data / "test" / "queries" / "copy-001.mp4"
    index = finished / "artifacts" / "index"
    bad = {folder / name: reason for name, reason in BAD.items() if reason != "not_a_file"}
    result = dns("query", *bad, good, "--index", index, "--models", models, "--json")
    assert result.exit_code == 2
    *refused, answered = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["error"]["reason"] for row in refused] == list(bad.values())
    assert answered["query"] == str(good)
    assert len(result.stderr.splitlines()) == len(bad)


def test_stage_probe_videos_quarantines_the_same(folder: Path, tmp_path: Path, finished: Path) -> None:
    root = tmp_path / "workspace"
    for place in ("train", "test/database", "test/queries"):
        (root / "data" / place).parent.mkdir(parents=True, exist_ok=True)
        (root / "data" / place).symlink_to(folder, target_is_directory=True)
    params = load_params(finished / "params.yaml")
    run_stage("probe_videos", params, StageContext(Workspace(root)))
    for collection in ("train", "database", "queries"):
        probes = json.loads((root / "artifacts" / "probes" / f"{collection}.json").read_text())
        readable = sorted(row["video_id"] for row in probes["videos"])
        reasons = {row["video_id"]: row["reason"] for row in probes["quarantine"]}
        # What only fails when more than the first frame is decoded is found out by extract_features.
        assert reasons == BAD
        assert readable == sorted(GOOD)


def test_stage_probe_videos_of_nothing_readable(tmp_path: Path, finished: Path) -> None:
    folder = tmp_path / "data" / "train"
    folder.mkdir(parents=True)
    (folder / "empty.mp4").touch()
    with pytest.raises(InputError, match="1 refused"):
        run_stage("probe_videos", load_params(finished / "params.yaml"), StageContext(Workspace(tmp_path)))
    assert not (tmp_path / "artifacts" / "probes" / "train.json").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def left_on(disk: Path) -> list[str]:
    return sorted(str(path.relative_to(disk)) for path in disk.rglob("*") if path.is_file())


def resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


def without_pending(paths: Iterable[str]) -> list[str]:
    """Of what an index holds, all but the records that wait to enter it and the lock of their folder."""
    waits = ("index/pending/*/[!.]*.npz", "index/pending/*/LOCK")
    return [path for path in paths if not any(PurePath(path).match(pattern) for pattern in waits)]


def assert_says_that_the_disk_is_full(complaint: str) -> None:
    assert complaint.splitlines()[-1].startswith("dns: ")
    assert complaint.splitlines()[-1].endswith(os.strerror(errno.ENOSPC))
    assert "Traceback" not in complaint


def test_a_full_disk_leaves_no_half_index(
    dns: Dns, dns_process: Any, data: Path, models: Path, small_disk: Path
) -> None:
    videos, index = data / "test" / "database", small_disk / "index"
    arguments = ["index", "build", "--videos", videos, "--out", index, "--models", models]
    assert_says_that_the_disk_is_full(dns_process(data, *arguments, code=2))
    assert without_pending(left_on(small_disk)) == []
    assert dns("index", "info", index).exit_code == 2
    resize(small_disk, "16m")
    dns_process(data, *arguments)
    assert dns("index", "verify", index).exit_code == 0
    assert not (index / "pending").exists()


def test_a_full_disk_leaves_the_index_that_was_there(
    dns: Dns, dns_process: Any, data: Path, models: Path, small_disk: Path
) -> None:
    few, index = small_disk / "few", small_disk / "index"
    more = sorted((data / "test" / "database").iterdir())
    few.mkdir()
    (few / more[0].name).symlink_to(more[0])
    resize(small_disk, "96k")
    assert dns("index", "build", "--videos", few, "--out", index, "--models", models).exit_code == 0
    before = left_on(small_disk)
    arguments = ["index", "add", index, *more[1:], "--models", models]
    assert_says_that_the_disk_is_full(dns_process(data, *arguments, code=2))
    assert without_pending(left_on(small_disk)) == before
    assert json.loads(dns("index", "verify", index, "--json").stdout)["version"] == 1
    resize(small_disk, "16m")
    dns_process(data, *arguments)
    assert json.loads(dns("index", "verify", index, "--json").stdout)["version"] == 2
    assert not (index / "pending").exists()


def test_a_full_disk_leaves_no_half_features(
    dns_process: Any, workspace_copy: Path, small_disk: Path
) -> None:
    whitened = workspace_copy / "artifacts" / "whitened"
    expected = {path.name: path.read_bytes() for path in whitened.iterdir()}
    shutil.rmtree(whitened)
    whitened.symlink_to(small_disk, target_is_directory=True)
    # HDF5 may take the whole process with it when a file cannot be closed, so the code is not looked at.
    dns_process(workspace_copy, "stage", "fit_whitening", code=None)
    assert [path for path in left_on(small_disk) if not path.startswith(".partial-")] == []

    resize(small_disk, "16m")
    dns_process(workspace_copy, "stage", "fit_whitening")
    assert {path: (small_disk / path).read_bytes() for path in left_on(small_disk)} == expected


@pytest.mark.parametrize("existing", [False, True])
def test_ctrl_c_leaves_no_half_index(
    dns: Dns, data: Path, interrupted: Any, workspace_copy: Path, existing: bool
) -> None:
    models = workspace_copy / "artifacts" / "models"
    index = workspace_copy / "artifacts" / "index"
    if not existing:
        shutil.rmtree(index)
    before = contents(index)
    command = ("index", "build", "--videos", data, "--out", index, "--models", models)
    code, complaint = interrupted(
        workspace_copy,
        *command,
        when=lambda: any((index / "pending").glob("*/[!.]*.npz")),
        number=signal.SIGINT,
    )
    assert code == 130, complaint
    assert complaint.splitlines()[-1] == "dns: interrupted; what was finished is kept"
    assert "Traceback" not in complaint
    after = contents(index)
    kept = [path for path in after if path.match("pending/*/[!.]*.npz")]
    assert kept
    others = [path for path in after if path not in kept and not path.match("pending/*/LOCK")]
    assert {path: after[path] for path in others} == before
    assert dns("index", "verify", index).exit_code == (0 if existing else 2)
    assert dns(*command).exit_code == 0
    assert dns("index", "verify", index).exit_code == 0
    assert not (index / "pending").exists()


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
