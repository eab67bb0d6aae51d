"""Everything that may differ between two forwarding units: ``SIDETONE_SFU_*`` variables."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

from sidetone.runtime.start import StartError
from sidetone.voice_sfu.infrastructure.workers import cores

Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What concerns all workers of a machine; ``sidetone serve`` reads these as well.

    *workers* 0 is one per core. *metrics_port* is the first worker's; the others follow in a row.
    *metrics_host* is the address that they are offered at: only scrapers may reach it.
    *evidence* names a file that takes every forwarded frame: for demonstrations only.
    """

    workers: Annotated[int, msgspec.Meta(ge=0, le=256)] = 0
    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 0
    fastpath: Literal["on", "off"] = "on"
    evidence: str = ""

    def require_sound(self) -> None:
        """Raise ``StartError`` where the settings do not go together."""
        self.count()

    def count(self) -> int:
        """Return how many workers there are to be. Raises ``StartError``."""
        if self.evidence and self.workers > 1:
            raise StartError(
                "SIDETONE_SFU_EVIDENCE is the file of one worker; set SIDETONE_SFU_WORKERS to 1"
            )
        return 1 if self.evidence else self.workers or cores()


class Settings(WorkerSettings, frozen=True, kw_only=True):
    """The settings of a unit.

    *bus* is ``nats://...``, or ``local:<socket>`` for a worker of a parent that carries the bus;
    the parent then owns *tls_folder* and rotates the certificates in it. *bus_credentials* and
    *bus_ca* are files that ``sidetone admin nats-config`` writes.
    """

    bus: Annotated[str, msgspec.Meta(pattern="^(local:|nats://|tls://)")]
    bus_credentials: Path | None = None
    bus_ca: Path | None = None
    tls_folder: str
    host: str = "::"
    port: Port = 0
    announced_host: str = ""
    room_members_max: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 200
    connections_max: Annotated[int, msgspec.Meta(ge=1)] = 5_000
    packets_per_second: Annotated[int, msgspec.Meta(ge=1)] = 250
    bits_per_second: Annotated[int, msgspec.Meta(ge=1)] = 400_000
    video_frames_per_second: Annotated[int, msgspec.Meta(ge=0)] = 120
    video_bits_per_second: Annotated[int, msgspec.Meta(ge=0)] = 8_000_000
    half_open_max: Annotated[int, msgspec.Meta(ge=0)] = 2_000
    half_open_per_prefix_max: Annotated[int, msgspec.Meta(ge=0)] = 20
    drain_seconds: Annotated[float, msgspec.Meta(ge=0, le=10)] = 5.0
    log_form: Literal["console", "json"] = "console"
