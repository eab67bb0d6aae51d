"""What databases and stores count, whichever adapter it is."""

from collections.abc import Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from sidetone.telemetry.metrics import Read, seconds

_STATEMENTS: Final = seconds(
    "sidetone_database_statement_seconds",
    "Time that the database takes for one statement; a batch counts as one.",
    "operation",
)
EXECUTE: Final = _STATEMENTS.labels("execute")
EXECUTE_MANY: Final = _STATEMENTS.labels("execute_many")
FETCH: Final = _STATEMENTS.labels("fetch")
KEYVALUE: Final = seconds(
    "sidetone_keyvalue_operation_seconds", "Time that the shared key-value store takes."
)
# Of the database that was opened last in this process.
CONNECTIONS: Final = Read()


def pool_metrics(stats: Mapping[str, int]) -> list[Metric]:
    """Return what psycopg's pool tells of itself as metrics."""
    size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
    connections = GaugeMetricFamily(
        "sidetone_database_connections", "Connections of the pool.", labels=["state"]
    )
    connections.add_metric(["idle"], idle)
    connections.add_metric(["used"], size - idle)
    return [
        connections,
        GaugeMetricFamily(
            "sidetone_database_connections_max",
            "Connections that the pool may have.",
            value=stats.get("pool_max", 0),
        ),
        queue_metric(stats.get("requests_waiting", 0)),
        CounterMetricFamily(
            "sidetone_database_wait_seconds",
            "Time that was spent waiting for a connection.",
            value=stats.get("requests_wait_ms", 0) / 1_000,
        ),
        CounterMetricFamily(
            "sidetone_database_wait_failures",
            "Times that no connection was to be had in time.",
            value=stats.get("requests_errors", 0),
        ),
    ]


def queue_metric(waiting: int) -> Metric:
    """Return how many statements wait for their turn."""
    return GaugeMetricFamily(
        "sidetone_database_waiting", "Statements that wait for a connection.", value=waiting
    )
