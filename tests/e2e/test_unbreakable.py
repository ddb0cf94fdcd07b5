"""An archive is described to its end, even if videos or the machine kill the processes at work."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import psutil
import pytest

from dns_core.fleet import Card, LocalFleet, Place, Task, Work
from dns_core.index import Manifest, open_index
from dns_core.index.pending import Pending
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.pipeline import add_to_index, index_videos
from dns_ops.fleet.pool import PoolFleet
from tests.oracles.archive import FAULTY, N_GOOD, faulty_archive, write_archive
from tests.oracles.faulty_decoder import PROGRAM


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(SHIPPED_MODELS)


@pytest.fixture(scope="module")
def uninterrupted(videos: Path, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return index_videos(videos, tmp_path_factory.mktemp("whole") / "index", bundle)


class Watched(LocalFleet):
    """Counts the videos that are decoded; may stop before a number of them."""

    def __init__(self, stop_at: int = 1000) -> None:
        super().__init__()
        self.decoded: list[str] = []
        self._stop_at = stop_at

    def run(self, work: Work, tasks: Sequence[Task]) -> Generator[Card, None, None]:
        for card in super().run(work, tasks):
            if card.facts.get("decoded"):
                self.decoded.append(card.id)
            yield card
            if len(self.decoded) == self._stop_at:
                raise KeyboardInterrupt


def killed_build(videos: Path, index: Path, at: int) -> int:
    """Records that a build by the command line has finished when it is killed, with ``at`` or more."""
    program = "from dns_apps.cli.main import main; main()"
    command = [sys.executable, "-c", program, "index", "build", "--videos", str(videos), "--out", str(index)]
    environment = {**os.environ, "DNS_WORKERS": "2", "DNS_TRACKING_URI": "off"}
    with subprocess.Popen([*command, "--models", str(SHIPPED_MODELS)], env=environment) as process:
        while process.poll() is None and len(list(index.glob("pending/*/[!.]*.npz"))) < at:
            time.sleep(0.005)
        assert process.poll() is None, "the build ended before it was killed"
        workers = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
    _, left = psutil.wait_procs(workers, timeout=60)
    assert not left, "workers and decoders end with their parent"
    return len(list(index.glob("pending/*/[!.]*.npz")))


@pytest.mark.slow
def test_a_build_killed_twice_describes_each_video_once(
    videos: Path, bundle: Bundle, uninterrupted: Manifest, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    killed_build(videos, index, N_GOOD // 3)
    n_kept = killed_build(videos, index, 2 * N_GOOD // 3)
    fleet = Watched()
    manifest = index_videos(videos, index, bundle, fleet=fleet)
    assert N_GOOD * 2 // 3 <= n_kept < N_GOOD
    assert len(fleet.decoded) == N_GOOD - n_kept
    assert manifest.data == uninterrupted.data
    assert manifest.shards[0].files == uninterrupted.shards[0].files
    assert not (index / "pending").exists()


@pytest.mark.slow
def test_videos_that_break_decoders_are_quarantined_and_the_others_indexed(
    videos: Path, bundle: Bundle, uninterrupted: Manifest, tmp_path: Path
) -> None:
    archive = faulty_archive(videos, tmp_path / "archive")
    place = Place(decoder=PROGRAM, decoder_s=3.0, decoder_bytes=1 << 30)
    manifest = index_videos(archive, tmp_path / "index", bundle, fleet=PoolFleet(2, place))
    assert {row.video_id: row.reason for row in manifest.quarantine} == FAULTY
    assert "3 times" in {row.video_id: row.detail for row in manifest.quarantine}["hangs.mp4"]
    assert manifest.shards[0].n_videos == N_GOOD
    assert manifest.data == uninterrupted.data


def test_two_adds_at_once_keep_their_own_records(videos: Path, bundle: Bundle, tmp_path: Path) -> None:
    index = tmp_path / "index"
    files = sorted(videos.iterdir())
    first = tmp_path / "first"
    first.mkdir()
    (first / "v00.mp4").symlink_to(files[0])
    index_videos(first, index, bundle)
    ends = threading.Event()

    class Slow(LocalFleet):
        def run(self, work: Work, tasks: Sequence[Task]) -> Generator[Card, None, None]:
            yield from super().run(work, tasks)
            assert ends.wait(60)

    def add(name: str, fleet: LocalFleet) -> None:
        add_to_index(index, [(name, files[1])], bundle, fleet=fleet)

    waiting = threading.Thread(target=add, args=("a.mp4", Slow()))
    waiting.start()
    while not list(index.glob("pending/*-0/[!.]*.npz")):
        time.sleep(0.02)
    add("b.mp4", LocalFleet())  # the same content: it must neither use nor remove the other's record
    ends.set()
    waiting.join(60)
    assert {"a.mp4", "b.mp4"} <= set(open_index(index).ids)
    assert not (index / "pending").exists()


def test_records_that_a_second_process_left_are_used(bundle: Bundle, tmp_path: Path) -> None:
    index, origin = tmp_path / "index", VideoEncoder(bundle).origin
    with Pending(index, origin) as first, Pending(index, origin) as second:
        assert first.folder != second.folder
        (second.folder / "0.npz").write_bytes(b"a record")
    with Pending(index, origin) as records:
        assert records.has("0")
        assert list(records.folder.parent.iterdir()) == [records.folder]


def test_an_interrupted_build_goes_on(
    videos: Path, bundle: Bundle, uninterrupted: Manifest, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        index_videos(videos, tmp_path / "index", bundle, fleet=Watched(stop_at=10))
    fleet = Watched()
    manifest = index_videos(videos, tmp_path / "index", bundle, fleet=fleet)
    assert len(fleet.decoded) == N_GOOD - 10
    assert manifest.data == uninterrupted.data
