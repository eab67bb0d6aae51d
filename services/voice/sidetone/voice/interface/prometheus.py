"""Calls and voice nodes, as this service knows them, in the form that Prometheus scrapes."""

from collections.abc import Iterable
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from sidetone.runtime.clock import Clock
from sidetone.telemetry.metrics import Read
from sidetone.voice.domain.fleet import Fleet
from sidetone.voice.domain.occupancy import Occupancy

READ: Final = Read()


class VoiceMetrics:
    """Reads what nodes told when it is scraped. Nodes are named by where they listen."""

    def __init__(self, fleet: Fleet, occupancy: Occupancy, clock: Clock) -> None:
        self._fleet = fleet
        self._occupancy = occupancy
        self._clock = clock

    def __call__(self) -> Iterable[Metric]:
        """Return the present state."""
        rooms, members = self._occupancy.counts()
        yield GaugeMetricFamily(
            "sidetone_calls_rooms", "Calls with somebody inside, in the whole cluster.", rooms
        )
        yield GaugeMetricFamily(
            "sidetone_calls_members", "Devices in calls, in the whole cluster.", members
        )
        nodes = self._fleet.living(self._clock.now_ms())
        states = GaugeMetricFamily(
            "sidetone_calls_nodes", "Voice nodes that tell of themselves.", labels=["state"]
        )
        draining = sum(alive.draining for alive in nodes)
        states.add_metric(["open"], len(nodes) - draining)
        states.add_metric(["draining"], draining)
        yield states
        for name, text, values in (
            ("connections", "Devices inside.", [alive.connections for alive in nodes]),
            ("rooms", "Rooms with somebody inside.", [len(alive.rooms) for alive in nodes]),
            ("cpu_ratio", "Share of one core in use.", [one.cpu_percent / 100 for one in nodes]),
        ):
            family = GaugeMetricFamily(
                f"sidetone_calls_node_{name}", f"{text} By voice node.", labels=["node"]
            )
            for alive, value in zip(nodes, values, strict=True):
                family.add_metric([f"{alive.host}:{alive.port}"], value)
            yield family
