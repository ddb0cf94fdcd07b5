"""Two raylets on loopback: what dies is repeated, and nothing but a video itself is blamed."""

from collections import Counter
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from dns_core.errors import InputError, MismatchError
from dns_core.fleet import Card, Fleet, LocalFleet, Place, Task, Work, run_all
from dns_core.index import Manifest
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.intake import describing
from dns_core.retrieval.pipeline import index_videos
from dns_ops.fleet import verdicts
from dns_ops.fleet.choosing import open_fleet
from dns_ops.fleet.connection import Address, open_cluster, require_head
from dns_ops.settings import Settings
from tests.oracles.archive import FAULTY, N_GOOD, faulty_archive, write_archive
from tests.oracles.faulty_decoder import PROGRAM
from tests.oracles.faulty_worker import WORK

if TYPE_CHECKING:
    from benchmarks.ray_machines import RayMachines

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: pip install '.[cluster]'"),
]


def ran(fleet: Fleet, tasks: list[Task], work: Work = WORK) -> dict[str, Card]:
    return {card.id: card for card in run_all(fleet, work, tasks)}


def test_the_cluster_does_what_one_process_does(machines: "RayMachines") -> None:
    tasks = [Task(f"v{n}") for n in range(40)] + [Task("refused")]
    here, there = ran(LocalFleet(), tasks), ran(open_cluster(machines.address, Place()), tasks)
    assert {name: (card.facts.get("sum"), card.reason, card.detail) for name, card in there.items()} == {
        name: (card.facts.get("sum"), card.reason, card.detail) for name, card in here.items()
    }
    assert all(card.facts["threads"] == ["1", "1"] for card in there.values() if card.facts)


def test_nothing_of_a_cluster_on_loopback_listens_elsewhere(machines: "RayMachines") -> None:
    ran(open_cluster(machines.address, Place()), [Task(f"v{n}") for n in range(4)])
    roots = [psutil.Process(one.pid) for one in machines.running if one.poll() is None]
    addresses = set()
    for process in [child for root in roots for child in root.children(recursive=True)]:
        with suppress(psutil.Error):  # it has just ended
            found = process.net_connections("inet")
            addresses |= {one.laddr.ip.removeprefix("::ffff:") for one in found if one.status == "LISTEN"}
    assert addresses == {"127.0.0.1"}


def test_what_kills_its_worker_is_given_up_and_the_others_go_on(
    machines: "RayMachines", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdicts, "SETTLED_S", 1.0)
    log = {"log": str(tmp_path / "log")}
    bad = [Task("exits", log), Task("hangs", log), Task("dies once", {**log, "mark": str(tmp_path / "mark")})]
    fleet = open_cluster(machines.address, Place(), limit_s=4.0)
    cards = ran(fleet, [*bad, *(Task(f"v{n}", log) for n in range(40))])
    assert {name: card.reason for name, card in cards.items() if card.reason} == {
        "exits": "corrupt",
        "hangs": "corrupt",
    }
    tries = Counter((tmp_path / "log").read_text().splitlines())
    assert tries["exits"] >= 3
    assert tries["dies once"] >= 2
    assert len(cards) == 43


def test_a_machine_that_dies_blames_no_video(machines: "RayMachines", tmp_path: Path) -> None:
    slow = {"seconds": 0.2, "log": str(tmp_path / "log")}
    tasks = [Task(f"v{n}", slow) for n in range(60)]
    second = machines.running[-1]
    cards: dict[str, Card] = {}
    for card in run_all(open_cluster(machines.address, Place()), WORK, tasks):
        cards[card.id] = card
        if len(cards) == 20:
            machines.kill(second)
    assert {card.reason for card in cards.values()} == {""}
    assert len(cards) == 60
    machines.join()
    machines.await_nodes(2)
    tries = Counter((tmp_path / "log").read_text().splitlines())
    assert sum(tries.values()) <= 60 + 2 * 16  # parts in flight, and one that was repeated


def test_videos_that_break_decoders_are_quarantined_and_the_index_is_that_of_one_process(
    machines: "RayMachines", tmp_path: Path
) -> None:
    videos, bundle = write_archive(tmp_path / "good"), Bundle.load(SHIPPED_MODELS)
    alone: Manifest = index_videos(videos, tmp_path / "alone", bundle)
    place = Place(decoder=PROGRAM, decoder_s=3.0, decoder_bytes=1 << 30)
    fleet = open_cluster(machines.address, place)
    archive = faulty_archive(videos, tmp_path / "archive")
    manifest = index_videos(archive, tmp_path / "index", bundle, fleet=fleet)
    assert {row.video_id: row.reason for row in manifest.quarantine} == FAULTY
    assert manifest.shards[0].n_videos == N_GOOD
    assert manifest.shards[0].files == alone.shards[0].files


def test_a_worker_with_other_models_or_code_is_refused(
    machines: "RayMachines", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle.load(SHIPPED_MODELS)
    work = describing(VideoEncoder(bundle), tmp_path)
    other = Work(work.worker, {**work.settings, "fingerprints": {"coarse": "0123456789abcdef"}})
    fleet = open_cluster(machines.address, Place())
    with pytest.raises(MismatchError, match=r"coarse in .*expected 0123456789abcdef, found"):
        ran(fleet, [Task("v", {"path": "v.mp4", "sha256": ""})], other)
    monkeypatch.setattr("dns_ops.fleet.hands.code_fingerprint", lambda: "fedcba9876543210")
    with pytest.raises(MismatchError, match=r"code of the worker on \S+ mismatch: expected fedcba9876543210"):
        ran(fleet, [Task("v")])


def test_a_cluster_that_is_not_there_is_one_line() -> None:
    with pytest.raises(InputError, match="expected the head of a cluster, found none"):
        require_head("127.0.0.1:9")
    with pytest.raises(InputError, match="expected local or HOST:PORT"):
        require_head("nowhere")


def test_the_setting_chooses_the_cluster(tmp_path: Path) -> None:
    fleet = open_fleet(Settings(cluster="127.0.0.1:6379"), "cuda", tmp_path)
    assert fleet.address == Address("127.0.0.1:6379", tmp_path / ".platform", fleet.address.n_cores)  # type: ignore[attr-defined]
    token = tmp_path / ".platform" / "ray-token"
    assert token.stat().st_mode & 0o777 == 0o600
