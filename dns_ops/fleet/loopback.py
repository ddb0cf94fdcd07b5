"""A cluster that is asked to stay on this machine's loopback does."""

from ray._private import services


def stay_on_loopback() -> None:
    """Have Ray keep an address of loopback that it is given.

    It puts the address of the network card in its place otherwise, and listens on every address then.
    """
    services.resolve_ip_for_localhost = _kept


def _kept(host: str) -> str:
    return host
