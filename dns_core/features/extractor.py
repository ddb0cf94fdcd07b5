"""Region descriptors of a video: decoding in one thread while the network runs in another."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import torch
import torch.nn.functional as F

from dns_core.errors import MismatchError, ParamsError
from dns_core.features.backbone import Backbone
from dns_core.features.blank_frames import is_blank
from dns_core.features.borders import without_borders
from dns_core.features.luma import LUMA_DIMS, luma_patterns
from dns_core.features.prefetch import prefetched
from dns_core.features.registry import load_backbone
from dns_core.ports import WeightSource
from dns_core.precision import Precision, autocast
from dns_core.records import Float32Array, Float64Array, UInt8Array, VideoFeatures
from dns_core.store.fingerprints import fingerprint_json
from dns_core.video.decode import FrameChunk, Sampling, decode_frames

Frame = Literal["whole", "centre"]
"""What of a frame is described."""

_CHUNKS_AHEAD = 2


class Extractor:
    """Frames to region descriptors, in batches of one size, independent of the decoder's chunks.

    Args:
        backbone: the network; it is moved to ``device``.
        batch_frames: frames that go through the network at once; on a CPU more than 16 fill the caches and
            are slower, a GPU takes more.
        device: as torch calls it, for example ``cpu`` or ``cuda:0``.
        precision: ``bf16`` lets convolutions round to bfloat16 where the device has it, about twice as
            fast on a CPU with AVX-512 BF16; region vectors of photographs kept a mean cosine of .9995 (at
            worst .998) to their values in ``fp32``, so that an index built on one device can be queried
            on another.
        frame: ``whole`` squashes the whole frame into the network's square, its bars cut off; ``centre`` sees
            the centre square alone, as the paper does.
        luma_weight: length at which the region's pattern of brightness (`dns_core.features.luma`) is
            joined to the network's vector of length 1; 0 leaves it out, as the paper does.

    Attributes:
        fingerprint: of all that decides the vectors; batches and devices change no more than rounding.
    """

    def __init__(  # noqa: PLR0913
        self,
        backbone: Backbone,
        *,
        batch_frames: int = 16,
        device: str = "cpu",
        precision: Precision = "fp32",
        frame: Frame = "whole",
        luma_weight: float = 0.0,
    ) -> None:
        if batch_frames < 1:
            raise ParamsError(f"batch_frames must be at least 1, not {batch_frames}")
        if not luma_weight >= 0:
            raise ParamsError(f"luma_weight must be 0 or more, not {luma_weight}")
        if precision not in ("fp32", "bf16"):
            raise ParamsError(f"precision must be fp32 or bf16, not {precision!r}")
        self._device = torch.device(device)
        if self._device.type == "cuda" and not torch.cuda.is_available():
            raise ParamsError(f"device {device} was asked for, but torch finds no CUDA device")
        self.backbone = backbone.to(self._device)
        if frame not in get_args(Frame):
            raise ParamsError(f"frame must be {' or '.join(get_args(Frame))}, not {frame!r}")
        self._settings = {"precision": precision, "frame": frame, "luma_weight": luma_weight}
        self.fingerprint = fingerprint_json({"backbone": backbone.fingerprint, **self._settings})
        self._batch_frames = batch_frames
        self._precision = precision
        self._frame = frame
        self._luma_weight = luma_weight
        # (x / 255 - mean) / std as one multiplication and one subtraction
        mean = torch.tensor(backbone.card.mean, device=self._device).view(3, 1, 1)
        std = torch.tensor(backbone.card.std, device=self._device).view(3, 1, 1)
        self._scale, self._shift = 1 / (255 * std), mean / std

    @property
    def dims(self) -> int:
        """D of the region vectors."""
        return self.backbone.card.dims + (LUMA_DIMS if self._luma_weight else 0)

    @property
    def description(self) -> dict[str, str]:
        """What `described_extractor` needs to make this extractor again, to be kept with its vectors."""
        settings = {name: str(value) for name, value in self._settings.items()}
        return {"backbone": self.backbone.card.name, "extractor": self.fingerprint, **settings}

    def sampling(self, fps: float) -> Sampling:
        """How frames are sampled for this extractor, ``fps`` a second."""
        card = self.backbone.card
        resize_px = card.resize_px if self._frame == "centre" else None
        return Sampling(fps=fps, resize_px=resize_px, crop_px=card.crop_px)

    def frames_to_regions(self, frames: UInt8Array) -> Float32Array:
        """Region descriptors ``[N, R, D]`` of RGB frames ``[N, H, W, 3]``, unit length along D.

        Frames that show nothing (`is_blank`) have zeros.
        """
        if not len(frames):
            return np.zeros((0, self.backbone.card.regions, self.dims), dtype=np.float32)
        starts = range(0, len(frames), self._batch_frames)
        return np.concatenate([self._run(frames[k : k + self._batch_frames]) for k in starts])

    def stream(self, path: Path, sampling: Sampling) -> Iterator[tuple[Float32Array, Float64Array]]:
        """Regions ``[N, R, D]`` and times ``[N]`` in seconds, batch by batch, in bounded memory.

        Args:
            path: the video.
            sampling: which frames, and their size.

        Raises:
            VideoError: the file is not a video that can be decoded.
        """
        yield from self.describe(decode_frames(path, sampling))

    def describe(self, chunks: Iterator[FrameChunk]) -> Iterator[tuple[Float32Array, Float64Array]]:
        """As `stream`, of chunks of frames that a background thread gets ahead."""
        with prefetched(chunks, _CHUNKS_AHEAD) as ahead:
            for batch in _rebatched(ahead, self._batch_frames):
                yield self._run(batch.frames), batch.times_s

    def extract(self, path: Path, video_id: str, sampling: Sampling) -> VideoFeatures:
        """The whole of `stream` as one record; about 64 KB a frame with the smallest backbone."""
        regions, times_s = zip(*self.stream(path, sampling), strict=True)
        return VideoFeatures(video_id, np.concatenate(regions), np.concatenate(times_s))

    def _run(self, frames: UInt8Array) -> Float32Array:
        with torch.inference_mode(), autocast(self._precision, self._device):
            # The permuted view of [N, H, W, 3] already has the channels last in memory.
            images = torch.from_numpy(frames).to(self._device).permute(0, 3, 1, 2)
            if self._frame == "whole":
                images = without_borders(images)
            regions = self.backbone(images * self._scale - self._shift)
        if self._luma_weight:
            patterns = self._luma_weight * luma_patterns(images)
            regions = F.normalize(torch.cat([regions, patterns], dim=-1), dim=-1)
        if self._frame == "whole":
            regions = regions.masked_fill(is_blank(images)[:, None, None], 0.0)
        described: Float32Array = regions.cpu().numpy()
        return described


def described_extractor(
    description: Mapping[str, str], weights: WeightSource | None = None, *, device: str = "cpu"
) -> Extractor:
    """The extractor whose `Extractor.description` this is.

    Args:
        description: may hold other keys too.
        weights: where to look for the backbone's weights; where its card says if None.
        device: as torch calls it.

    Raises:
        KeyError: the description lacks a key.
        ParamsError: there is no such backbone or precision.
        MissingArtefactError: the weights are not there.
        MismatchError: extractors of this version give other vectors.
    """
    extractor = Extractor(
        load_backbone(description["backbone"], weights),
        device=device,
        precision=cast("Precision", description["precision"]),
        frame=cast("Frame", description["frame"]),
        luma_weight=float(description["luma_weight"]),
    )
    if extractor.fingerprint != description["extractor"]:
        raise MismatchError("extractor", description["extractor"], extractor.fingerprint)
    return extractor


def _rebatched(chunks: Iterator[FrameChunk], size: int) -> Iterator[FrameChunk]:
    """The same frames in chunks of ``size``, the last one shorter."""
    rest: FrameChunk | None = None
    for chunk in chunks:
        joined = _joined(rest, chunk) if rest is not None and len(rest.times_s) else chunk
        whole = len(joined.times_s) // size * size
        for start in range(0, whole, size):
            yield _window(joined, start, start + size)
        rest = _window(joined, whole, len(joined.times_s))
    if rest is not None and len(rest.times_s):
        yield rest


def _joined(first: FrameChunk, second: FrameChunk) -> FrameChunk:
    return FrameChunk(
        times_s=np.concatenate([first.times_s, second.times_s]),
        frames=np.concatenate([first.frames, second.frames]),
    )


def _window(chunk: FrameChunk, start: int, stop: int) -> FrameChunk:
    return FrameChunk(times_s=chunk.times_s[start:stop], frames=chunk.frames[start:stop])
