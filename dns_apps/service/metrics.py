"""What Prometheus may know of a service."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dns_apps.service.live_index import LiveIndex
from dns_apps.service.query_jobs import QueryJobs
from dns_apps.service.refusals import RefusalError
from dns_core.decoding.decoders import Decoders

_BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """Counters of requests, and figures that are read when they are asked for.

    Args:
        live_index: the index.
        query_jobs: the queries.
        decoders: of queries.
    """

    def __init__(self, live_index: LiveIndex, query_jobs: QueryJobs, decoders: Decoders) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("dns_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram(
            "dns_request_seconds", "Seconds to the end of the answer.", ("method", "route"),
            buckets=_BUCKETS_S, registry=self._registry,
        )  # fmt: skip
        ProcessCollector(registry=self._registry)
        self._registry.register(_Gauges(live_index, query_jobs, decoders))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request; ``route`` is its template, so that ids make no series of their own."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)


class _Gauges(Collector):
    def __init__(self, live_index: LiveIndex, query_jobs: QueryJobs, decoders: Decoders) -> None:
        self._live_index = live_index
        self._query_jobs = query_jobs
        self._decoders = decoders

    def collect(self) -> Iterator[GaugeMetricFamily]:
        figures = {
            "dns_queries_live": ("Queries that wait or are worked on.", self._query_jobs.n_live),
            "dns_decoders_replaced": (
                "Processes that a video has killed or outlasted.",
                self._decoders.n_replaced,
            ),
        }
        try:
            index = self._live_index.current().index
            figures["dns_index_videos"] = ("Videos of the served index.", index.n_videos)
            figures["dns_index_version"] = ("Version of the served index.", index.manifest.version)
        except RefusalError:
            figures["dns_index_videos"] = ("Videos of the served index.", 0)
        for name, (text, value) in figures.items():
            yield GaugeMetricFamily(name, text, value=value)
