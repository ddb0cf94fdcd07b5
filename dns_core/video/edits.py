"""The edits that copies of videos undergo on their way, seeded and at three strengths.

They make the queries of a benchmark whose answers are known (`dns_core.corpus.edited`) and the pairs
from which the teacher learns without labels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from dns_core.errors import ParamsError
from dns_core.records import UInt8Array
from dns_core.video import edits_overlays, edits_spatial
from dns_core.video.clip import Clip
from dns_core.video.edits_camcorder import camcorder
from dns_core.video.edits_composite import insert, picture_in_picture
from dns_core.video.edits_strength import STRENGTHS, Strength
from dns_core.video.edits_temporal import frame_drop, speed, trim

__all__ = ["EDITS", "STRENGTHS", "Edit", "EditKind", "Strength", "edit_clip", "random_edits"]

EditKind = Literal["spatial", "temporal", "composite"]

_ClipEdit = Callable[[Clip, np.random.Generator, Strength, Clip | None], Clip]
_FramesEdit = Callable[[UInt8Array, np.random.Generator, Strength], UInt8Array]


@dataclass(frozen=True, slots=True)
class Edit:
    """One way of changing a clip.

    Attributes:
        name: key in `EDITS`.
        kind: ``spatial`` (frame by frame, any frame rate), ``temporal`` (which frames are shown) or
            ``composite`` (together with another video).
        description: what it does, for a person.
        is_whole: whether the result shows all of the clip, so that it is a near-duplicate and not an
            excerpt.
        needs_other: whether it cannot be done without another clip.
    """

    name: str
    kind: EditKind
    description: str
    is_whole: bool = True
    needs_other: bool = False


EDITS: Mapping[str, Edit] = MappingProxyType(
    {
        edit.name: edit
        for edit in (
            Edit("crop", "spatial", "a window of each frame"),
            Edit("aspect", "spatial", "stretched to another aspect ratio"),
            Edit("flip", "spatial", "mirrored left to right"),
            Edit("scale_down", "spatial", "a shorter side of 128, 64 or 32 px"),
            Edit("reencode", "spatial", "low-bitrate H.264"),
            Edit("blur", "spatial", "Gaussian blur"),
            Edit("noise", "spatial", "Gaussian noise"),
            Edit("colour", "spatial", "brightness, contrast, saturation and tint"),
            Edit("sepia", "spatial", "browned like an old photograph"),
            Edit("grey", "spatial", "without colour"),
            Edit("borders", "spatial", "bars around the frame"),
            Edit("logo", "spatial", "an emblem in a corner"),
            Edit("text", "spatial", "lines of writing"),
            Edit("camcorder", "spatial", "filmed off a screen by hand"),
            Edit("picture_in_picture", "composite", "in a window over another video"),
            Edit("speed", "temporal", "faster or slower"),
            Edit("frame_drop", "temporal", "single frames lost"),
            Edit("trim", "temporal", "an excerpt", is_whole=False),
            Edit("insert", "composite", "an excerpt inside another video", is_whole=False, needs_other=True),
        )
    }
)
"""Every edit by name."""

# At most one of each row is plausible in one copy, and a copy goes through the rows in this order:
# it is cut, decorated, coloured, captured, and coded last.
_CHAIN = (
    ("flip",),
    ("crop", "borders", "aspect"),
    ("logo", "text"),
    ("colour", "sepia", "grey"),
    ("blur", "scale_down", "camcorder"),
    ("noise", "reencode"),
)


def edit_clip(
    clip: Clip,
    name: str,
    *,
    rng: np.random.Generator,
    strength: Strength = "medium",
    other: Clip | None = None,
) -> Clip:
    """The clip after one edit; the same generator state gives the same pixels.

    Args:
        clip: left as it is.
        name: key in `EDITS`.
        rng: draws the edit's parameters, once a clip.
        strength: ``light``, ``medium`` or ``strong``.
        other: another video, for composite edits.

    Returns:
        A clip of the same frame rate whose ``source_times_s`` say where each frame comes from.

    Raises:
        ParamsError: there is no such edit or strength.
        ValueError: the edit needs ``other``.
    """
    if name not in EDITS:
        raise ParamsError(f"there is no edit {name!r}; there are {', '.join(EDITS)}")
    if strength not in STRENGTHS:
        raise ParamsError(f"there is no strength {strength!r}; there are {', '.join(STRENGTHS)}")
    return _FUNCTIONS[name](clip, rng, strength, other)


def random_edits(rng: np.random.Generator, strength: Strength, count: int) -> tuple[str, ...]:
    """Names of ``count`` different spatial edits that one copy may plausibly bear, in order of use.

    Never two of one sort, for example sepia and grey, or blurred and filmed off a screen. At light
    strength nothing is filmed off a screen: re-shooting changes a video considerably.

    Args:
        rng: draws the edits.
        strength: at which they will be used.
        count: 0 to 6.

    Raises:
        ParamsError: ``count`` is out of range.
    """
    if not 0 <= count <= len(_CHAIN):
        raise ParamsError(f"a chain has 0 to {len(_CHAIN)} edits, not {count}")
    rows = sorted(rng.choice(len(_CHAIN), size=count, replace=False))
    choices = [[n for n in _CHAIN[row] if (n, strength) != ("camcorder", "light")] for row in rows]
    return tuple(str(rng.choice(names)) for names in choices)


def _spatial(edit: _FramesEdit) -> _ClipEdit:
    def edited(clip: Clip, rng: np.random.Generator, strength: Strength, _other: Clip | None) -> Clip:
        return replace(clip, frames=edit(clip.frames, rng, strength))

    return edited


def _filmed(clip: Clip, rng: np.random.Generator, strength: Strength, _other: Clip | None) -> Clip:
    return replace(clip, frames=camcorder(clip, rng, strength))


def _alone(edit: Callable[[Clip, np.random.Generator, Strength], Clip]) -> _ClipEdit:
    def edited(clip: Clip, rng: np.random.Generator, strength: Strength, _other: Clip | None) -> Clip:
        return edit(clip, rng, strength)

    return edited


_FUNCTIONS: Mapping[str, _ClipEdit] = {
    "crop": _spatial(edits_spatial.crop),
    "flip": _spatial(edits_spatial.flip),
    "scale_down": _spatial(edits_spatial.scale_down),
    "reencode": _spatial(edits_spatial.reencode),
    "blur": _spatial(edits_spatial.blur),
    "noise": _spatial(edits_spatial.noise),
    "colour": _spatial(edits_spatial.colour),
    "sepia": _spatial(edits_spatial.sepia),
    "grey": _spatial(edits_spatial.grey),
    "borders": _spatial(edits_overlays.borders),
    "aspect": _spatial(edits_spatial.aspect),
    "logo": _spatial(edits_overlays.logo),
    "text": _spatial(edits_overlays.text),
    "camcorder": _filmed,
    "picture_in_picture": picture_in_picture,
    "speed": _alone(speed),
    "frame_drop": _alone(frame_drop),
    "trim": _alone(trim),
    "insert": insert,
}
