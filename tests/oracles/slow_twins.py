"""The slow twins of whole parts: plain torch in fp32, one pair at a time, as the public reference computes.

The tests hold the fast paths to them, and the benchmark times the fast paths against them.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from dns_core.models.coarse import CoarseStudent
from dns_core.models.fine import FineStudent
from dns_core.models.netvlad import NetVLAD
from dns_core.models.pair_network import PairNetwork
from dns_core.models.selector import Selector
from dns_core.similarity.comparator import Comparator


@torch.no_grad()
def frame_matrix(query: Tensor, target: Tensor) -> Tensor:
    """[Tq, Tt] of [Tq, R, D] and [Tt, R, D]: every product of regions at once, then maximum and mean."""
    products = torch.einsum("iud,jvd->iujv", query, target)
    return products.max(3).values.mean(1)


@torch.no_grad()
def comparator_output(comparator: Comparator, matrix: Tensor) -> Tensor:
    """[ceil(Tq / 4), ceil(Tt / 4)] of a whole matrix [Tq, Tt]: poolings keep windows that are not full."""
    x = matrix[None, None]
    for layer in (comparator.conv1, comparator.conv2):
        x = F.relu(F.conv2d(x, layer.weight, layer.bias, padding=1))
        x = F.max_pool2d(x, 2, ceil_mode=True)
    x = F.relu(F.conv2d(x, comparator.conv3.weight, comparator.conv3.bias, padding=1))
    return F.conv2d(x, comparator.fconv.weight, comparator.fconv.bias)[0, 0]


def pair_score(network: PairNetwork, query: Tensor, target: Tensor, scale: float = 1.0) -> float:
    """Similarity in [-1, 1] of two indexed videos [T, R, D]; ``scale`` is one over the bits of a code."""
    windows = comparator_output(network.comparator, frame_matrix(query, target) * scale)
    return float(F.hardtanh(windows).max(1).values.mean())


@torch.no_grad()
def selector_confidences(network: Selector, features: Tensor) -> list[float]:
    """What the selector says of each row of [N, 3], one row after the other."""
    return [float(torch.sigmoid(network.logits(row[None]))[0]) for row in features]


def coarse_similarities(query: Tensor, vectors: Sequence[Tensor]) -> list[float]:
    """The dot product of one vector [E] with each of many, one after the other."""
    return [float(torch.dot(query, vector)) for vector in vectors]


def similarities_in_training(
    student: FineStudent | CoarseStudent, anchors: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]
) -> Tensor:
    """[B] of padded videos [B, T, R, D] and masks [B, T]: autograd keeps each product and each residual."""
    if isinstance(student, CoarseStudent):
        vectors = [_coarse_vectors(student, *videos) for videos in (anchors, targets)]
        return (vectors[0] * vectors[1]).sum(-1)
    query, target = student.index(*anchors), student.index(*targets)
    matrix = torch.einsum("biud,bjvd->biujv", query, target).max(4).values.mean(2)
    scale = 1.0 if student.binarization is None else 1 / target.shape[-1]
    return student.matrix_similarity(matrix * scale, anchors[1], targets[1])[0]


def _coarse_vectors(student: CoarseStudent, videos: Tensor, mask: Tensor) -> Tensor:
    frames = student.frame_vectors(videos)
    if student.transformer is not None:
        frames = student.transformer(frames, src_key_padding_mask=~mask)
    if student.netvlad is None:
        return F.normalize((frames * mask[..., None]).sum(1), dim=-1)
    return F.normalize(_netvlad(student.netvlad, frames, mask), dim=-1)


def _netvlad(layer: NetVLAD, frames: Tensor, mask: Tensor) -> Tensor:
    assignment = F.linear(frames, layer.conv.weight.flatten(1)).softmax(-1) * mask[..., None]
    clusters = [
        ((frames - centre) * share[..., None]).sum(1)
        for centre, share in zip(layer.centroids, assignment.unbind(-1), strict=True)
    ]
    flat = F.normalize(F.normalize(torch.stack(clusters, 1), dim=2).flatten(1), dim=1)
    normed: Tensor = layer.norm(flat if layer.reduction_layer is None else layer.reduction_layer(flat))
    return normed
