"""The unit's counts in the form that Prometheus scrapes: sums, never a user, room or address."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from sidetone.voice_sfu.application.node import Node
from sidetone.voice_sfu.domain.meter import Drop, VideoMeter
from sidetone.voice_sfu.domain.video_frame import Cut


class NodeCollector(Collector):
    """Reads the node when it is scraped, so that a forwarded frame costs no metric."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @override
    def collect(self) -> Iterable[Metric]:
        """Return the present state."""
        meter = self._node.tally
        for name, text, value in (
            ("frames_received", "Frames that were accepted from members.", meter.frames_in),
            ("frames_forwarded", "Frames passed on to listeners.", meter.frames_out),
            ("bytes_received", "Bytes of accepted frames.", meter.bytes_in),
            ("bytes_forwarded", "Bytes of frames passed on.", meter.bytes_out),
            ("joins", "Devices that were let in.", meter.joins),
            ("reported_received", "Frames members say they got.", meter.reported_received),
            ("reported_lost", "Frames members say they missed.", meter.reported_lost),
        ):
            yield CounterMetricFamily(f"sidetone_voice_{name}", text, value=value)
        drops = CounterMetricFamily(
            "sidetone_voice_frames_dropped", "Frames that were not passed on.", labels=["reason"]
        )
        for reason in Drop:
            drops.add_metric([reason.value], meter.drops[reason])
        yield drops
        yield from _video(meter.video)
        for name, text, value in (
            ("connections", "Devices inside.", self._node.connections()),
            ("rooms", "Rooms with somebody inside.", len(self._node.rooms())),
            ("draining", "Whether the unit is going away.", int(self._node.draining)),
        ):
            yield GaugeMetricFamily(f"sidetone_voice_{name}", text, value=value)


def _video(meter: VideoMeter) -> Iterable[Metric]:
    for name, text, value in (
        ("frames_received", "Video frames that began to come in.", meter.frames_in),
        ("frames_forwarded", "Video frames that began to go out to a viewer.", meter.frames_out),
        ("bytes_received", "Bytes of video that came in.", meter.bytes_in),
        ("bytes_forwarded", "Bytes of video for viewers.", meter.bytes_out),
        ("keyframes_asked", "Times that a keyframe was asked for.", meter.keyframes_asked),
    ):
        yield CounterMetricFamily(f"sidetone_voice_video_{name}", text, value=value)
    cut = CounterMetricFamily(
        "sidetone_voice_video_frames_cut",
        "Video frames that ended before they were whole.",
        labels=["direction", "reason"],
    )
    for direction, counts in (("in", meter.cut_in), ("out", meter.cut_out)):
        for reason in Cut:
            cut.add_metric([direction, reason.name.lower()], counts[reason])
    yield cut
