"""What all requests and replies are made of."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

FineName = Literal["fine_binary", "fine_attention"]
State = Literal["queued", "running", "done", "failed"]
Verdict = Literal["copy", "not_a_copy", "unsure"]

BUDGET_FORM = r"^\s*(\d+(\.\d*)?|\.\d+)\s*(ms)?\s*$"
MAX_TOP_K = 1000
MAX_MATRIX_SIDE = 1024

VideoId = Annotated[str, Field(min_length=1, max_length=4096, examples=["archive-022.mp4"])]
Seconds = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]


class Asked(BaseModel):
    """Part of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answered(BaseModel):
    """Part of a reply."""

    model_config = ConfigDict(frozen=True, extra="ignore")


T = TypeVar("T")


class Page(Answered, Generic[T]):
    """A stretch of a longer list.

    Attributes:
        items: those from ``offset`` on, at most ``limit``.
        total: length of the whole list.
    """

    items: tuple[T, ...]
    total: int
    limit: int
    offset: int


class Problem(Answered):
    """What went wrong (RFC 9457, ``application/problem+json``).

    Attributes:
        type: ``about:blank``, or the address of a page that explains it.
        title: the same for every problem of the kind.
        status: of HTTP.
        detail: one sentence for a person: what was expected and what was found.
        reason: a word for programs; for a video those of `dns_core.errors.VideoError`.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    reason: str = ""
