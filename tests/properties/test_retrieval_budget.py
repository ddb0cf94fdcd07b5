"""Laws of the budget, on engines with small random networks over random videos."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dns_core.features.whitening import Whitening
from dns_core.index import Chunking, build_index, open_index
from dns_core.models.checkpoints import save_network
from dns_core.models.registry import build_network
from dns_core.records import QueryResult, VideoFeatures
from dns_core.retrieval.background import Background
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import BACKGROUND_FILE, Bundle
from dns_core.retrieval.calibration import Calibration, Scale
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.index_settings import IndexSettings
from dns_core.retrieval.logistic import Logistic
from dns_core.retrieval.ranking import falling_order
from dns_core.retrieval.selection import BySelector, select

DIMS = 64
N_VIDEOS = 20


def video(seed: int, n_frames: int) -> VideoFeatures:
    regions = np.random.default_rng(seed).normal(size=(n_frames, 2, DIMS)).astype(np.float32)
    regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
    return VideoFeatures(f"v{seed:02d}", regions, np.arange(n_frames, dtype=np.float64))


@lru_cache(maxsize=1)
def engine() -> Engine:
    """Built once; the files stay mapped after their folder is gone."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    coarse = {
        "dims": DIMS,
        "transformer_heads": 2,
        "transformer_feedforward_dims": 16,
        "netvlad_clusters": 2,
        "netvlad_outdims": 8,
    }
    networks = {
        "fine_binary": ("fine_binary", {"dims": DIMS}),
        "coarse": ("coarse", coarse),
        "selector_fine_binary": ("selector", {"dims": DIMS, "hidden_size": 4}),
    }
    with TemporaryDirectory() as name:
        folder = Path(name)
        Whitening(np.zeros(DIMS, np.float32), np.eye(DIMS, dtype=np.float32)).save(
            folder / "whitening.safetensors", {}
        )
        for role, (architecture, config) in networks.items():
            network = build_network(architecture, config)
            path = folder / f"{role}.safetensors"
            save_network(path, network, architecture=architecture, config=config, provenance={})
        # steep for fine scores, which lie close together with random weights
        scale = Scale(1.0, 0.0, 1.0, 0.0, 0.7, Logistic(16.0, 0.0))
        Calibration({"fine_binary": scale}, {"fine_binary": 0.3}).save(folder / "calibration.json")
        Background(tuple(video(seed, 4) for seed in range(200, 212))).save(folder / BACKGROUND_FILE)
        bundle = Bundle.load(folder)
        encoder = VideoEncoder(bundle, IndexSettings(Chunking(8, 2), None, ("fine_binary",)))
        records = [encoder.encode(video(seed, 1 + seed)) for seed in range(N_VIDEOS)]
        build_index(folder / "index", records, encoder.origin)
        built = Engine(open_index(folder / "index"), bundle)
        answer = built.search(video(99, 3), top_k=1, budget=Budget(share=1))
        assert answer.results[0].stage == "fine"
    return built


QUERIES = st.builds(video, st.integers(100, 10_000), st.integers(1, 20))
LAW = settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])


def ids(result: QueryResult) -> list[str]:
    return [match.video_id for match in result.results]


@LAW
@given(QUERIES)
def test_a_budget_of_0_is_the_coarse_order(query: VideoFeatures) -> None:
    candidates = engine().candidates(query)
    expected = [candidates.ids[row] for row in falling_order(candidates.scores, candidates.ids)]
    assert ids(engine().search(query, top_k=0, budget=Budget(share=0))) == expected


@LAW
@given(QUERIES)
def test_a_budget_of_1_is_the_fine_order(query: VideoFeatures) -> None:
    names = engine().index.ids
    scores = engine().fine_scores(engine().stretches(query), np.arange(N_VIDEOS))
    expected = [names[row] for row in falling_order(scores, names)]
    result = engine().search(query, top_k=0, budget=Budget(share=1))
    assert len(set(scores.tolist())) > 1
    assert ids(result) == expected


@LAW
@given(QUERIES, st.floats(0, 1))
def test_a_budget_buys_exactly_what_the_policy_wants_most(query: VideoFeatures, share: float) -> None:
    budget = Budget(share=share)
    candidates = engine().candidates(query)
    wanted = select(BySelector(engine().bundle.selector("fine_binary")), candidates, budget.count(N_VIDEOS))
    result = engine().search(query, top_k=0, budget=budget)
    fine = {match.video_id for match in result.results if match.stage == "fine"}
    assert fine == {candidates.ids[row] for row in wanted}
    assert share * N_VIDEOS - 1e-6 <= len(fine) < share * N_VIDEOS + 1


@LAW
@given(QUERIES, st.floats(0, 1))
def test_compared_videos_have_the_order_they_have_at_a_budget_of_1(
    query: VideoFeatures, share: float
) -> None:
    whole = ids(engine().search(query, top_k=0, budget=Budget(share=1)))
    part = engine().search(query, top_k=0, budget=Budget(share=share)).results
    compared = [match.video_id for match in part if match.stage == "fine"]
    assert compared == [video_id for video_id in whole if video_id in set(compared)]
