"""What is expected of the data: a suite of expectations for each kind of facts."""

from collections.abc import Callable, Mapping
from typing import Any

from great_expectations import expectations as gxe
from great_expectations.expectations.expectation import Expectation

Limits = Mapping[str, Any]


def corpus(limits: Limits) -> list[Expectation]:
    """Of the files of a collection: `dns_core.data_checks.facts.corpus_facts`."""
    most = _most(limits["odd_share"])
    return [
        gxe.ExpectTableColumnsToMatchSet(
            column_set=["video", "status", "duration_s", "fps", "sha256"],
            meta=_means("what is known of a file"),
        ),
        gxe.ExpectColumnValuesToBeUnique(column="video", meta=_means("every file has an id of its own")),
        gxe.ExpectColumnValuesToBeInSet(
            column="status",
            value_set=["readable"],
            mostly=1 - limits["refused_share"],
            meta=_means(f"no more than {limits['refused_share']:.0%} of the files are refused"),
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="sha256",
            mostly=1 - limits["repeated_share"],
            meta=_means(f"no more than {limits['repeated_share']:.0%} of the files repeat another's content"),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="duration_s",
            min_value=limits["shortest_s"],
            max_value=limits["longest_s"],
            mostly=1 - limits["odd_share"],
            meta=_means(f"{most} last {limits['shortest_s']:g} s to {limits['longest_s']:g} s"),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="fps",
            min_value=limits["lowest_fps"],
            max_value=limits["highest_fps"],
            mostly=1 - limits["odd_share"],
            meta=_means(f"{most} have {limits['lowest_fps']:g} to {limits['highest_fps']:g} frames a second"),
        ),
    ]


def features(limits: Limits) -> list[Expectation]:
    """Of the described videos of a collection: `dns_core.data_checks.facts.feature_facts`."""
    tolerance = limits["norm_tolerance"]
    return [
        _true("finite", "every number is finite"),
        gxe.ExpectColumnValuesToBeBetween(
            column="worst_norm",
            min_value=1 - tolerance,
            max_value=1 + tolerance,
            meta=_means(f"every region has length 1, or none, to {tolerance:g}"),
        ),
        _true("usual_shape", "regions and dimensions are those of the other videos"),
        gxe.ExpectColumnValuesToBeBetween(
            column="frames_amiss",
            max_value=limits["frames_tolerance"],
            mostly=1 - limits["odd_share"],
            meta=_means(
                f"{_most(limits['odd_share'])} have as many frames as their duration promises, "
                f"to {limits['frames_tolerance']:.0%}"
            ),
        ),
    ]


def leakage(limits: Limits) -> list[Expectation]:
    """Of each test video and the training video most like it: `dns_core.data_checks.shared_footage`."""
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="similarity",
            max_value=limits["similarity"],
            meta=_means(f"no test video is more like a training video than {limits['similarity']:g}"),
        )
    ]


def pairs(_limits: Limits) -> list[Expectation]:
    """Of a sample of the labelled pairs: `dns_core.stages.validate_pairs`."""
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="similarity", meta=_means("every pair has a label")),
        gxe.ExpectColumnValuesToBeBetween(
            column="similarity", min_value=-1, max_value=1, meta=_means("labels lie in [-1, 1]")
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="crosses", value_set=[False], meta=_means("no pair joins training and validation")
        ),
    ]


def pair_totals(limits: Limits) -> list[Expectation]:
    """Of all labelled pairs of one side of the split, counted: `dns_core.stages.validate_pairs`."""
    share = limits["least_share"]
    return [
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=f"{pool}_share",
                min_value=share,
                meta=_means(f"at least {share:.0%} of the pairs are {pool}"),
            )
            for pool in ("near", "far")
        ),
        *(
            gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[0], meta=_means(meaning))
            for column, meaning in (
                ("out_of_range", "no label lies outside of [-1, 1]"),
                ("crossing", "no pair joins training and validation"),
            )
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="spread",
            min_value=limits["least_spread"],
            meta=_means(f"the labels spread: standard deviation at least {limits['least_spread']:g}"),
        ),
    ]


def drift(limits: Limits) -> list[Expectation]:
    """Of new videos beside those that the champion learnt from: `dns_core.data_checks.drift`."""
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="drift",
            max_value=limits["drift"],
            meta=_means(f"new videos lie no further from the training videos than {limits['drift']:g}"),
        )
    ]


SUITES: Mapping[str, Callable[[Limits], list[Expectation]]] = {
    suite.__name__: suite for suite in (corpus, features, leakage, pairs, pair_totals, drift)
}
"""By the name that a table of facts gives."""


def _means(text: str) -> dict[str, str]:
    return {"meaning": text}


def _most(odd_share: float) -> str:
    return f"at least {1 - odd_share:.0%} of the videos" if odd_share else "all videos"


def _true(column: str, text: str) -> Expectation:
    return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[True], meta=_means(text))
