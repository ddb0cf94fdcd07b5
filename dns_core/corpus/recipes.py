"""How copies are disguised: sequences of edits and their strengths."""

from dns_core.video.edits import Strength

Recipe = tuple[tuple[str, Strength], ...]

WHOLE: tuple[Recipe, ...] = (
    (("reencode", "strong"), ("scale_down", "medium")),
    (("crop", "medium"), ("colour", "medium")),
    (("flip", "medium"), ("reencode", "medium")),
    (("grey", "medium"), ("noise", "medium")),
    (("borders", "medium"), ("logo", "medium")),
    (("camcorder", "medium"),),
    (("picture_in_picture", "medium"),),
    (("speed", "medium"), ("text", "medium")),
    (("frame_drop", "strong"), ("blur", "medium")),
    (("sepia", "medium"), ("scale_down", "medium")),
    (("frame_drop", "medium"), ("text", "strong")),
    (("colour", "strong"), ("crop", "medium"), ("reencode", "strong")),
)
"""For copies of a whole video: none cuts anything off."""

EXCERPT: tuple[Recipe, ...] = (
    (("crop", "medium"), ("logo", "medium")),
    (("blur", "medium"), ("grey", "medium")),
    (("camcorder", "strong"),),
    (("flip", "medium"), ("crop", "medium")),
    (("noise", "strong"), ("borders", "medium")),
    (("picture_in_picture", "strong"),),
    (("colour", "strong"), ("text", "strong")),
    (("speed", "strong"), ("reencode", "medium")),
    (("scale_down", "medium"), ("reencode", "strong")),
    (("sepia", "medium"), ("crop", "strong")),
    (("insert", "light"), ("colour", "medium")),
    (("flip", "medium"), ("camcorder", "medium")),
)
"""For excerpts, which are disguised more."""

ARCHIVE: tuple[Recipe, ...] = (
    (("reencode", "medium"), ("logo", "medium")),
    (("colour", "light"), ("scale_down", "medium")),
    (("crop", "light"), ("text", "medium")),
    (("borders", "medium"),),
    (("grey", "medium"),),
    (("speed", "light"), ("reencode", "light")),
    (("text", "light"), ("blur", "light")),
    (("flip", "medium"),),
)
"""For the copies that an archive holds anyway; none mixes in other footage."""

DEMO: Recipe = (("crop", "light"), ("colour", "medium"), ("text", "medium"))
"""For the query that the documentation asks about."""

MIXING = frozenset({"insert", "picture_in_picture"})
"""Edits that show other footage, so that a plan must name some."""
