"""Settings that decide which frames are described and how; torch and exported graphs compute the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, Self, cast, get_args

from dns_core.errors import MismatchError, ParamsError
from dns_core.features.cards import BACKBONES, BackboneCard
from dns_core.records import Float32Array, Precision, UInt8Array
from dns_core.store.fingerprints import fingerprint_json
from dns_core.video.decode import Sampling

Frame = Literal["whole", "centre"]
"""What of a frame is described."""

CELLS = 8
"""Cells along each side of a region of `dns_core.features.luma`; regions overlap by half."""

LUMA_DIMS = CELLS * CELLS


@dataclass(frozen=True, slots=True)
class Description:
    """The settings of a description.

    Attributes:
        card: of the backbone.
        sampling_fps: frames a second that are described.
        precision: ``bf16`` lets convolutions round to bfloat16 where that is faster; region vectors of
            photographs kept a mean cosine of .9995 (at worst .998) to their values in ``fp32``, so that
            an index built on one machine can be queried on another.
        frame: ``whole`` squashes the whole frame into the network's square, its bars cut off; ``centre`` sees
            the centre square alone, as the paper does.
        luma_weight: length at which the region's pattern of brightness (`dns_core.features.luma`) is
            joined to the network's vector of length 1; 0 leaves it out, as the paper does.

    Raises:
        ParamsError: a value is out of range.
    """

    card: BackboneCard
    sampling_fps: float
    precision: Precision = "fp32"
    frame: Frame = "whole"
    luma_weight: float = 0.0

    def __post_init__(self) -> None:
        if not self.sampling_fps > 0:
            raise ParamsError(f"sampling_fps must be above 0, not {self.sampling_fps}")
        if not self.luma_weight >= 0:
            raise ParamsError(f"luma_weight must be 0 or more, not {self.luma_weight}")
        for name, kind in (("precision", Precision), ("frame", Frame)):
            if getattr(self, name) not in get_args(kind):
                raise ParamsError(
                    f"{name} must be {' or '.join(get_args(kind))}, not {getattr(self, name)!r}"
                )

    @property
    def _settings(self) -> dict[str, str | float]:
        return {"precision": self.precision, "frame": self.frame, "luma_weight": self.luma_weight}

    @property
    def fingerprint(self) -> str:
        """Fingerprint of all that decides the vectors of a frame, whichever frames are sampled.

        Batches and devices change no more than rounding.
        """
        return fingerprint_json({"backbone": self.card.fingerprint, **self._settings})

    @property
    def dims(self) -> int:
        """D of the region vectors."""
        return self.card.dims + (LUMA_DIMS if self.luma_weight else 0)

    @property
    def metadata(self) -> dict[str, str]:
        """What `of` needs to make this description again, to be kept with its vectors."""
        settings = {name: str(value) for name, value in self._settings.items()}
        settings["sampling_fps"] = repr(self.sampling_fps)
        return {"backbone": self.card.name, "extractor": self.fingerprint, **settings}

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Self:
        """The description whose `metadata` this is.

        Args:
            metadata: may hold other keys too.

        Raises:
            KeyError: the metadata lacks a key.
            ValueError: a number is none.
            ParamsError: there is no such backbone or precision.
            MismatchError: frames are described otherwise in this version.
        """
        description = cls(
            known_card(metadata["backbone"]),
            sampling_fps=float(metadata["sampling_fps"]),
            precision=cast("Precision", metadata["precision"]),
            frame=cast("Frame", metadata["frame"]),
            luma_weight=float(metadata["luma_weight"]),
        )
        if description.fingerprint != metadata["extractor"]:
            raise MismatchError("extractor", metadata["extractor"], description.fingerprint)
        return description

    @property
    def sampling(self) -> Sampling:
        """How frames are sampled for this description."""
        resize_px = self.card.resize_px if self.frame == "centre" else None
        return Sampling(fps=self.sampling_fps, resize_px=resize_px, crop_px=self.card.crop_px)


class FrameNetwork(Protocol):
    """Computes a description."""

    @property
    def description(self) -> Description:
        """What it computes."""
        ...

    def __call__(self, frames: UInt8Array) -> Float32Array:
        """Regions ``[N, R, D]`` of frames ``[N, S, S, 3]`` without bars; zeros where a frame is blank."""
        ...


def known_card(name: str) -> BackboneCard:
    """The card called ``name``.

    Raises:
        ParamsError: there is no such backbone.
    """
    if name not in BACKBONES:
        raise ParamsError(f"no backbone is called {name!r}; there are {', '.join(BACKBONES)}")
    return BACKBONES[name]
