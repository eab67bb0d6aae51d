"""The gateway's counts in the form that Prometheus scrapes: sums, never a user or an address."""

from collections.abc import Iterable
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from sidetone.gateway.application.flusher import Flusher
from sidetone.gateway.application.hub import Hub
from sidetone.gateway.domain.session import State
from sidetone.gateway.interface.door import Door
from sidetone.gateway.interface.reception import Reception
from sidetone.protocol.frames import CloseCode
from sidetone.telemetry.metrics import Read

READ: Final = Read()
# From the first scrape on, so that the first one of each is seen as a rise.
_WELCOMES: Final = [(frame, "welcome") for frame in ("identify", "resume", "renew")]


class GatewayMetrics:
    """Reads the gateway when it is scraped, so that a delivery costs no metric."""

    def __init__(self, hub: Hub, flusher: Flusher, reception: Reception, door: Door) -> None:
        self._hub = hub
        self._flusher = flusher
        self._reception = reception
        self._door = door

    def __call__(self) -> Iterable[Metric]:
        """Return the present state."""
        for name, text, value in (
            ("sockets", "Open WebSockets.", self._door.sockets),
            ("sockets_full", "WebSockets that take no more for now.", self._door.full_sockets),
            ("sockets_max", "WebSockets that this process lets in.", self._door.sockets_max),
            ("users", "Users with a session here.", len(self._hub.people)),
            ("servers", "Servers that somebody here is in.", len(self._hub.crowds)),
            ("flush_waiting", "Sessions that wait to be written to.", self._flusher.waiting),
        ):
            yield GaugeMetricFamily(f"sidetone_gateway_{name}", text, value=value)
        yield self._sessions()
        for name, text, value in (
            ("events", "Events that were delivered to whom they are for.", self._hub.events),
            ("deliveries", "Deliveries of an event to a session.", self._hub.deliveries),
            ("writes", "Writes of events to a socket.", self._flusher.writes),
            ("frames_received", "Frames that clients sent.", self._door.frames),
        ):
            yield CounterMetricFamily(f"sidetone_gateway_{name}", text, value=value)
        yield self._answers()
        yield self._closes()

    def _sessions(self) -> Metric:
        family = GaugeMetricFamily(
            "sidetone_gateway_sessions", "Sessions by their state.", labels=["state"]
        )
        counts = dict.fromkeys(State, 0)
        for session in self._hub.sessions.values():
            counts[session.state] += 1
        for state, count in counts.items():
            if state is not State.CLOSED:
                family.add_metric([state.value], count)
        return family

    def _answers(self) -> Metric:
        family = CounterMetricFamily(
            "sidetone_gateway_admissions",
            "Identify, resume and renew frames; the outcome is welcome, or the kind of refusal.",
            labels=["frame", "outcome"],
        )
        answers = self._reception.answers
        for frame, outcome in {*_WELCOMES, *answers}:
            family.add_metric([frame, outcome], answers[frame, outcome])
        return family

    def _closes(self) -> Metric:
        family = CounterMetricFamily(
            "sidetone_gateway_closes",
            "Sockets that the gateway closed, by the name of the close code.",
            labels=["code"],
        )
        for code in CloseCode:
            family.add_metric([code.name.lower()], self._door.closes[code])
        return family
