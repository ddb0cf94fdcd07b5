"""Whether a server answers."""

import http.client
import urllib.error
import urllib.request

_PATIENCE_S = 3.0


def connection_problem(url: str) -> str:
    """Why ``url`` does not answer a GET with success within 3 s; empty if it does."""
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE_S):  # noqa: S310 # nosec B310 - an address from the settings
            return ""
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        return f"does not answer: {reason}"


def printable_uri(uri: str) -> str:
    """``uri`` without user and password."""
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
