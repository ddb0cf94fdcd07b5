"""What the address of the page Query says: which query is open, and which of its matches."""

import streamlit as st

_QUERY, _MATCH, _REVIEW, _SEVERAL = "query", "match", "review", "several"
_FIRST = "next"


def open_query() -> str:
    """Id of the query that is shown; empty if none."""
    return str(st.query_params.get(_QUERY, ""))


def open_match() -> str:
    """Id of the video that is compared with the query; empty if none."""
    return str(st.query_params.get(_MATCH, ""))


def open_review() -> str | None:
    """Id of the video that is being judged, or empty for the next one; None if no answer is reviewed."""
    found = st.query_params.get(_REVIEW)
    return "" if found == _FIRST else found


def review(query_id: str, video_id: str = "") -> None:
    """Make the address name the review of a query's answer; as `go_to`.

    Args:
        query_id: of the query.
        video_id: that is shown; empty for the first without a verdict.
    """
    st.query_params.from_dict({_QUERY: query_id, _REVIEW: video_id or _FIRST})


def go_to(query_id: str = "", video_id: str = "") -> None:
    """Make the address name this query and match, and nothing else; a callback, or before a rerun."""
    wanted = {_QUERY: query_id, _MATCH: video_id}
    st.query_params.from_dict({name: value for name, value in wanted.items() if value})


def open_several() -> tuple[str, ...] | None:
    """Ids of the queries that were asked together; None if no such list is open."""
    found = st.query_params.get(_SEVERAL)
    return None if found is None else tuple(part for part in str(found).split(",") if part)


def go_to_several(query_ids: tuple[str, ...]) -> None:
    """Make the address name queries that were asked together; as `go_to`."""
    st.query_params.from_dict({_SEVERAL: ",".join(query_ids)})


def link_to_review(query_id: str) -> str:
    """The address, from another page, of the review of a query's answer."""
    return f"query?{_QUERY}={query_id}&{_REVIEW}={_FIRST}"


def link_to(query_id: str) -> str:
    """The address that opens this very query again."""
    page = str(st.context.url or "").partition("?")[0]
    return f"{page}?{_QUERY}={query_id}"
