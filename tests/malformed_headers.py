"""Values of ``Host`` and ``Origin`` that are none, sent by a socket: clients of HTTP would mend them."""

import socket

PATIENCE_S = 60
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
"""Headers that ask for a WebSocket."""

HOSTS = (
    "",
    ":{port}",
    "127.0.0.1 evil.example",
    "127.0.0.1\tevil.example",
    "127.0.0.1,127.0.0.1",
    "127.0.0.1\x00",
    "127.0.0.1\x01:{port}",
    "127.0.0.1\x7f",
    "127.0.0.1\xe9",
    "user@127.0.0.1:{port}",
    "user:secret@127.0.0.1",
    "127.0.0.1@evil.example",
    "http://127.0.0.1:{port}",
    "//127.0.0.1",
    "127.0.0.1/v1",
    "127.0.0.1?x",
    "127.0.0.1#x",
    "127.0.0.1\\evil.example",
    "127.0.0.1%2eevil.example",
    "127.0.0.1:x",
    "127.0.0.1:-1",
    "127.0.0.1:+80",
    "127.0.0.1: 80",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:{port}{port}",
    "127.0.0.1:{port}:{port}",
    "::1",
    "[::1",
    "::1]",
    "[]",
    "[::1]x",
    "[::1]:x",
    "[::1]:65536",
    "[::g]",
    "[1::2::3]",
    "[::1%25lo]",
    "[127.0.0.1]",
    "[[::1]]",
    "<script>",
    '"127.0.0.1"',
)
ORIGINS = (
    "",
    "127.0.0.1:{port}",
    "//127.0.0.1:{port}",
    "http:127.0.0.1:{port}",
    "http:/127.0.0.1:{port}",
    "://127.0.0.1:{port}",
    "1http://127.0.0.1:{port}",
    "ht tp://127.0.0.1:{port}",
    "http://127.0.0.1:{port} http://evil.example",
    "http://127.0.0.1:{port},http://evil.example",
    "http://127.0.0.1:{port}\x00",
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/path",
    "http://127.0.0.1:{port}?x",
    "http://127.0.0.1:{port}#x",
    "http://user@127.0.0.1:{port}",
    "http://127.0.0.1:{port}@evil.example",
    "http://127.0.0.1:x",
    "http://127.0.0.1:65536",
    "http://:{port}",
    "http://[::1",
    "http://[::g]:{port}",
    "http://::1",
    "NULL",
    "null null",
)


def malformed(port: int) -> list[str]:
    """Lines of headers, of requests to a server of this machine that are to be answered with 400."""
    own = f"Host: 127.0.0.1:{port}\r\n"
    return [
        "",
        own * 2,
        f"{own}Host: evil.example\r\n",
        f"{own}Origin: http://127.0.0.1:{port}\r\n" + f"Origin: http://127.0.0.1:{port}\r\n",
        *(f"Host: {host.format(port=port)}\r\n" for host in HOSTS),
        *(f"{own}Origin: {origin.format(port=port)}\r\n" for origin in ORIGINS),
    ]


def status(port: int, headers: str, path: str = "/") -> int:
    """How a server answers GET with these lines of headers."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n".encode("latin-1"))
        with line.makefile("rb") as answer:
            return int(answer.readline().split()[1])


def otherwise_answered(port: int, path: str = "/", more: str = "") -> dict[str, int]:
    """Which malformed requests are answered with another status than 400."""
    answers = {lines: status(port, lines + more, path) for lines in malformed(port)}
    return {lines: found for lines, found in answers.items() if found != 400}
