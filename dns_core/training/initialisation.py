"""Where training starts: a teacher that is Chamfer similarity along time, students that are the teacher."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from dns_core.models.coarse import CoarseStudent
from dns_core.models.fine import FineStudent
from dns_core.models.itq import fit_itq
from dns_core.models.teacher import Teacher
from dns_core.records import Float32Array
from dns_core.training.batches import FeatureSet, padded


def start_as_chamfer(teacher: Teacher, sample: Float32Array) -> None:
    """Make an untrained ``teacher`` score as Chamfer similarity of aligned frames, so that it improves on it.

    One channel of the comparator passes similarities through every layer, as the mean over three steps of
    the diagonal: a frame matches if its neighbours match in the same order. The poolings keep the best of
    4 x 4 frames; the other channels keep their random weights. The output is stretched so that
    similarities of 0 and 1 become -1 and 1. From random weights alone, some hundred steps end below
    plain Chamfer similarity.

    Args:
        teacher: changed in place.
        sample: ``[T, R, D]`` region vectors of any videos, which tell how much the attention shrinks them.
    """
    comparator = teacher.video_comperator
    regions, _ = padded([sample])
    with torch.no_grad():
        gated = teacher.index(regions)
        shrunk = float((gated.norm(dim=-1) ** 2).mean() / (regions.norm(dim=-1) ** 2).mean())
        for layer in (comparator.conv1, comparator.conv2, comparator.conv3):
            layer.weight[0].zero_()
            layer.weight[0, 0].copy_(torch.eye(3) / 3)
            cast("Tensor", layer.bias)[0] = 0.0
        comparator.fconv.weight[0, 0] = 2.0 / shrunk
        cast("Tensor", comparator.fconv.bias).fill_(-1.0)


def start_from_teacher(student: FineStudent, teacher: Teacher, sample: Float32Array) -> None:
    """Give ``student`` the comparator of ``teacher``, on the scale of the student's similarities.

    The comparator's first layer is linear in the frame-frame matrix, so it is multiplied by the ratio of
    typical teacher to typical student similarities; the student then starts near the teacher instead of
    training the comparator again.

    Args:
        student: changed in place.
        teacher: trained, with the same comparator.
        sample: ``[T, R, D]`` region vectors of any videos.
    """
    student.visil_head.load_state_dict(teacher.video_comperator.state_dict())
    regions, _ = padded([sample])
    scales = []
    with torch.inference_mode():
        for network in (teacher.eval(), student.eval()):
            indexed = network.index(regions)
            scales.append(float(network.frame_similarity(indexed, indexed).abs().mean()))
    with torch.no_grad():
        student.visil_head.conv1.weight.mul_(scales[0] / max(scales[1], 1e-6))


def start_as_mean(student: CoarseStudent) -> None:
    """Open every gate of an untrained ``student`` alike: without transformer and NetVLAD, the mean vector.

    Args:
        student: changed in place; one without attention already is.
    """
    if student.attention is not None:
        torch.nn.init.zeros_(student.attention.context_vector.weight)


def start_codes(student: FineStudent, sample: Float32Array, *, sigma: float, seed: int) -> None:
    """Start the binary student's projection from ITQ, which the released code downloads.

    Args:
        student: a binary student, changed in place.
        sample: ``[N, D]`` region vectors.
        sigma: variance of the noise that makes the training-time code smooth; with the paper's 1e-6 nine
            bits of ten get no gradient.
        seed: of ITQ's first rotation.

    Reference: Gong et al., TPAMI 2013.
    """
    if student.binarization is None:
        raise TypeError("only a binary student has codes")
    rotation = fit_itq(sample, student.binarization.W.shape[1], seed=seed)
    with torch.no_grad():
        student.binarization.W.copy_(torch.as_tensor(rotation))
    student.binarization.sigma = sigma


def sampled_regions(features: FeatureSet, ids: Sequence[str], n_frames: int, seed: int) -> Float32Array:
    """``[n_frames or fewer, R, D]``: frames drawn evenly from videos in random order."""
    rng = np.random.default_rng(seed)
    order = [ids[row] for row in rng.permutation(len(ids))]
    per_video = max(1, n_frames // len(order))
    drawn: list[Float32Array] = []
    for video_id in order[:n_frames]:
        regions = features.regions(video_id)
        drawn.append(regions[rng.permutation(len(regions))[:per_video]])
    return np.concatenate(drawn)
