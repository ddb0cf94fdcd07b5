"""The query service as a process."""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

import uvicorn

from dns_ops.browser_guard import host_names
from dns_ops.holders.choosing import open_holders
from dns_ops.service_settings import ServiceSettings
from dns_ops.settings import Settings, SettingsError

_GRACE_S = 10
# of malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def serve(root: Path, settings: Settings) -> None:
    """Run the service of the workspace at ``root`` until a signal stops it.

    Raises:
        SettingsError: others could connect, and no token is set.
    """
    require_tokens(settings.serve)
    _use_threads(settings.serve)
    give_memory_back()
    from dns_apps.service.app import create_app  # noqa: PLC0415 - what it loads reads the number of threads

    hosts = host_names(settings.allowed_hosts)
    holders = open_holders(settings, root)
    app = create_app(root, settings.serve, settings.torch_device(), hosts, holders)
    uvicorn.run(
        app, host=settings.serve.host, port=settings.serve.port, server_header=False, access_log=False,
        log_level="warning", timeout_graceful_shutdown=_GRACE_S,
    )  # fmt: skip


def require_tokens(settings: ServiceSettings) -> None:
    """Refuse to listen to other machines without tokens.

    Raises:
        SettingsError: neither holds.
    """
    if not settings.local and not settings.token_digests():
        raise SettingsError(
            f"DNS_SERVE_HOST={settings.host}: others can connect; expected DNS_SERVE_QUERY_TOKENS or "
            "DNS_SERVE_ADMIN_TOKENS, found neither"
        )


def give_memory_back() -> None:
    """Have the system take back each large array as soon as it is let go.

    By itself glibc keeps what it once handed out for the next array of that size, up to 32 MB each in as many
    heaps as threads: a service that has answered forty queries held 950 MB, and so it holds 660, as quickly.
    """
    with suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 1 << 18)
        libc.mallopt(_M_TRIM_THRESHOLD, 1 << 20)


def _use_threads(settings: ServiceSettings) -> None:
    """Networks and kernels, which this process has not loaded yet, will use as many threads as are set.

    Threads that wait for one another at every layer stand still as soon as another process has one of their
    cores: on two cores, beside one busy process, two threads took ten times as long as one.
    """
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        if settings.threads:
            os.environ[name] = str(settings.threads)
        else:
            os.environ.setdefault(name, str(settings.n_threads))
