"""The parts of a search and of indexing, each against its slow twin on the same inputs and weights.

A fast result is compared with its twin's before either is timed, so that what is wrong is not timed.
"""

import statistics
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure import Measured, elapsed_ms, side_by_side
from benchmarks.peaks import Peaks
from benchmarks.vectors import like_real_ones, nearest
from dns_core.features.registry import load_backbone
from dns_core.index.coarse import coarse_scores
from dns_core.index.nearest import ChunkCodes, write_codes
from dns_core.models.checkpoints import load_network
from dns_core.models.pair_network import PairNetwork
from dns_core.models.selector import Selector
from dns_core.records import UInt8Array
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import open_features
from dns_core.retrieval.scorer import FineScorer, PackedScorer, scorer_of
from dns_core.retrieval.selection import BySelector, Candidates
from dns_core.retrieval.shards import LIMITS
from dns_core.similarity.hamming import WORD_BITS, pack_signs, unpack_signs
from dns_core.video import Sampling, decode_frames, write_video
from tests.oracles import slow_twins

REGIONS, BITS = 9, 512
N_QUERY_FRAMES, N_TARGET_FRAMES, N_TARGETS = 104, 80, 20
_RNG_SEED = 0
# An optional peer (extra `peers`).
_HAS_OPENCV = find_spec("cv2") is not None
_HALF_PRECISION = 2e-3
_LEAST_RECALL = 0.99
_FINE_TARGETS = {"fine_binary": 10.0, "fine_attention": 4.0, "teacher": 4.0}


def binary_matrices(peaks: Peaks) -> Iterator[Measured]:
    """Frame-frame similarity of binary codes: the packed kernel, and torch on unpacked signs."""
    rng = np.random.default_rng(_RNG_SEED)
    query, *targets = [pack_signs(regions) for regions in _videos(rng)]
    scorer = scorer_of(Bundle.load(SHIPPED_MODELS).fine("fine_binary"))
    query_signs, *signs = [_signs(video) for video in (query, *targets)]

    def fast() -> Any:
        return scorer.matrices(query, targets)

    def slow() -> list[torch.Tensor]:
        return [slow_twins.frame_matrix(query_signs, target) / BITS for target in signs]

    np.testing.assert_allclose(np.stack(fast()), torch.stack(slow()).numpy(), atol=1e-6)
    task = f"{N_TARGETS} matrices {N_QUERY_FRAMES} x {N_TARGET_FRAMES}, {REGIONS} regions, {BITS} bits"
    times = side_by_side(fast, slow)
    at_best_ms = N_TARGETS * peaks.codes_ms(N_QUERY_FRAMES, N_TARGET_FRAMES, REGIONS, BITS // WORD_BITS)
    yield Measured("binary matrix", task, *times, target=20, of_peak=at_best_ms / times[0])


def pair_scores(peaks: Peaks) -> Iterator[Measured]:
    """Fine scores of pairs as a search and the labelling of pairs do it, and one by one as the reference."""
    bundle = Bundle.load(SHIPPED_MODELS)
    videos = list(_videos(np.random.default_rng(_RNG_SEED)))
    for name, target in _FINE_TARGETS.items():
        scorer = scorer_of(bundle.fine(name))
        network = cast("PairNetwork", load_network(SHIPPED_MODELS / f"{name}.safetensors").network)
        query, *targets = [scorer.stored(video) for video in videos]
        tensors = [_twin_input(scorer, video) for video in (query, *targets)]
        n_words = query.shape[-1]
        scale = 1 / (n_words * WORD_BITS) if isinstance(scorer, PackedScorer) else 1.0

        def fast(scorer: FineScorer = scorer, query: Any = query, targets: Any = targets) -> Any:
            return scorer.scores(query, targets)

        def slow(network: PairNetwork = network, tensors: Any = tensors, scale: float = scale) -> list[float]:
            return [slow_twins.pair_score(network, tensors[0], one, scale) for one in tensors[1:]]

        np.testing.assert_allclose(fast(), slow(), atol=_HALF_PRECISION)
        task = f"{N_TARGETS} pairs of {N_QUERY_FRAMES} x {N_TARGET_FRAMES} frames, from what is stored"
        times = side_by_side(fast, slow)
        shape = N_QUERY_FRAMES, N_TARGET_FRAMES
        at_best_ms = peaks.comparator_ms(*shape) + (
            peaks.codes_ms(*shape, REGIONS, n_words)
            if isinstance(scorer, PackedScorer)
            else peaks.vectors_ms(*shape, REGIONS, BITS)
        )
        of_peak = N_TARGETS * at_best_ms / times[0]
        yield Measured(f"pair score, {name}", task, *times, target=target, of_peak=of_peak)


def selector() -> Iterator[Measured]:
    """The selector over all candidates of a query in one pass, and one by one."""
    n = 10_000
    network = Bundle.load(SHIPPED_MODELS).selector("fine_binary")
    twin = cast("Selector", load_network(SHIPPED_MODELS / "selector_fine_binary.safetensors").network)
    table = np.random.default_rng(_RNG_SEED).random((n, 3), dtype=np.float32)
    ids = tuple(map(str, range(n)))
    candidates = Candidates(np.arange(n), ids, table[:, 2], table, np.empty(0, dtype=np.float32))
    features = torch.from_numpy(table)

    def fast() -> Any:
        return BySelector(network).priorities(candidates)

    def slow() -> list[float]:
        return slow_twins.selector_confidences(twin, features)

    np.testing.assert_allclose(1 / (1 + np.exp(-fast())), slow(), atol=2e-5)
    yield Measured("selector", f"{n} candidates", *side_by_side(fast, slow, repeats=3), target=100)


def coarse() -> Iterator[Measured]:
    """Coarse scores of one query with all videos: FAISS from the index's array, and one by one."""
    n, dims = 100_000, 1024
    rng = np.random.default_rng(_RNG_SEED)
    vectors = rng.standard_normal((n, dims), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = list(torch.from_numpy(vectors))

    def fast() -> Any:
        return coarse_scores(vectors, vectors[:1])

    def slow() -> list[float]:
        return slow_twins.coarse_similarities(rows[0], rows)

    np.testing.assert_allclose(fast()[0], slow(), atol=2e-5)
    yield Measured("coarse scan", f"{n} vectors of {dims}, exhaustive", *side_by_side(fast, slow, repeats=3))


def shortlist() -> Iterator[Measured]:
    """The 100 nearest of a million vectors: by their codes and then exactly, and by reading all of them."""
    n, dims, n_nearest, n_queries = 1_000_000, 512, 100, 50
    rng = np.random.default_rng(_RNG_SEED)
    vectors, queries = like_real_ones(rng, n, dims, n_queries)
    with tempfile.TemporaryDirectory() as folder:
        write_codes(Path(folder) / "codes", vectors)
        codes = ChunkCodes(Path(folder) / "codes")

        def fast(query: Any = queries[:1]) -> Any:
            rows = codes.nearest(query, LIMITS.shortlist)
            return rows[nearest(coarse_scores(vectors[rows], query)[0], n_nearest)]

        def slow(query: Any = queries[:1]) -> Any:
            return nearest(coarse_scores(vectors, query)[0], n_nearest)

        found = [np.isin(slow(query), fast(query)).mean() for query in queries[:, None]]
        if np.mean(found) < _LEAST_RECALL:
            raise AssertionError(f"recall@{n_nearest} {np.mean(found):.4f}, {_LEAST_RECALL} expected")
        yield Measured(
            "coarse shortlist",
            f"{n} vectors of {dims}, the {n_nearest} nearest",
            *side_by_side(fast, slow),
            target=10,
            note=f"recall@{n_nearest} {np.mean(found):.4f} of {n_queries} queries",
        )


def decoding() -> Iterator[Measured]:
    """Frames at 1 fps, resized and cropped: as indexing decodes, and as the public reference reads."""
    sampling = Sampling()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        write_video(path, moving_pattern(750, 360, 640), 25.0)

        def fast() -> int:
            return sum(len(chunk.times_s) for chunk in decode_frames(path, sampling))

        def slow() -> int:
            return _read_by_opencv(path) if _HAS_OPENCV else _read_plainly(path)

        if fast() != slow():
            raise AssertionError(f"{fast()} frames, {slow()} expected")
        times = side_by_side(fast, slow, repeats=5)
        least_ms = statistics.median(elapsed_ms(lambda: _decode_what_others_need(path)) for _ in range(5))
        yield Measured(
            "decoding",
            "30 s of 640 x 360 at 1 fps",
            *times,
            target=3,
            note=f"twin: {'OpenCV' if _HAS_OPENCV else 'PyAV, one thread, all converted (no OpenCV here)'}",
            of_peak=least_ms / times[0],
        )


def _read_by_opencv(path: Path) -> int:
    """Every frame is decoded, one a second is converted, scaled and cropped."""
    cv2: Any = import_module("cv2")
    video = cv2.VideoCapture(str(path))
    fps = round(video.get(cv2.CAP_PROP_FPS))
    n_frames, n_taken = 0, 0
    while video.grab():
        if n_frames % fps == 0:
            _, picture = video.retrieve()
            height, width = picture.shape[:2]
            scale = 256 / min(height, width)
            size = round(width * scale), round(height * scale)
            scaled = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), size, interpolation=cv2.INTER_CUBIC)
            top, left = (size[1] - 224) // 2, (size[0] - 224) // 2
            n_taken += len(scaled[top : top + 224, left : left + 224]) == 224
        n_frames += 1
    return n_taken


def _decode_what_others_need(path: Path) -> int:
    """The least that any way to sample frames decodes, on all threads: the pictures that others refer to."""
    with av.open(path) as container:
        (stream,) = container.streams.video
        stream.thread_type = "AUTO"
        stream.codec_context.skip_frame = "NONREF"
        return sum(1 for _ in container.decode(stream))


def _read_plainly(path: Path) -> int:
    with av.open(path) as container:
        container.streams.video[0].thread_type = "NONE"
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return len(frames[::25])


def features(peaks: Peaks) -> Iterator[Measured]:
    """Region vectors of frames: by the exported graph, and by torch with channels first."""
    frames = np.random.default_rng(_RNG_SEED).integers(0, 256, (32, 224, 224, 3), dtype=np.uint8)
    name = "efficientnet_lite0.imagenet1k"
    extractor = open_features(Bundle.load(SHIPPED_MODELS)).extractor
    backbone = load_backbone(name)
    network: Any = backbone.network
    network.to(memory_format=torch.contiguous_format)
    card = backbone.card
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (card.mean, card.std))

    @torch.no_grad()
    def slow() -> torch.Tensor:
        images = torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous()
        return torch.cat([backbone((one / 255 - mean) / std) for one in torch.tensor_split(images, 2)])

    def fast() -> Any:
        return extractor.frames_to_regions(frames)

    ours = fast()[..., : card.dims]
    cosines = (ours * slow().numpy()).sum(-1) / np.linalg.norm(ours, axis=-1)
    if cosines.mean() < 0.99:
        raise AssertionError(f"mean cosine {cosines.mean():.4f} to single precision, at least .99 expected")
    with FlopCounterMode(display=False) as counted:
        slow()
    times = side_by_side(fast, slow, repeats=3)
    # Two operations are a multiplication with its addition.
    of_peak = peaks.rounded_products_ms(counted.get_total_flops() / 2) / times[0]
    yield Measured("features", f"{len(frames)} frames, {name}", *times, target=3, of_peak=of_peak)


def _videos(rng: np.random.Generator) -> Iterator[Any]:
    """A query and its targets: unit region vectors ``[T, R, BITS]``."""
    for n_frames in (N_QUERY_FRAMES, *[N_TARGET_FRAMES] * N_TARGETS):
        regions = rng.standard_normal((n_frames, REGIONS, BITS), dtype=np.float32)
        yield regions / np.linalg.norm(regions, axis=-1, keepdims=True)


def _twin_input(scorer: FineScorer, stored: Any) -> torch.Tensor:
    return _signs(stored) if isinstance(scorer, PackedScorer) else torch.from_numpy(stored).float()


def _signs(codes: Any) -> torch.Tensor:
    return torch.from_numpy(unpack_signs(codes).astype(np.float32))


def moving_pattern(n_frames: int, height: int, width: int) -> Iterator[UInt8Array]:
    """Frames ``[height, width, 3]`` of a pattern that moves."""
    y, x = np.mgrid[:height, :width]
    for k in range(n_frames):
        yield (np.stack([x + 3 * k, y + 2 * k, x + y - k], -1) % 256).astype(np.uint8)
