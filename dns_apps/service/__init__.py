"""The query service: search of an index over HTTP, and a light client for programs that ask it.

``schemas`` and ``client`` load neither torch nor FastAPI; the server stands in ``app``.
"""
