"""Everything that may differ between two forwarding units: ``SIDETONE_SFU_*`` variables."""

from typing import Annotated, Literal

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """The settings of one unit.

    *bus* is ``nats://...``, or ``local:<socket>`` for the child of an all-in-one server; the
    parent then owns *tls_folder* and rotates the certificates in it. *evidence* names a file that
    takes every forwarded frame: for demonstrations only.
    """

    bus: Annotated[str, msgspec.Meta(pattern="^(local:|nats://|tls://)")]
    tls_folder: str
    host: str = "::"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    announced_host: str = ""
    room_members_max: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 200
    connections_max: Annotated[int, msgspec.Meta(ge=1)] = 5_000
    packets_per_second: Annotated[int, msgspec.Meta(ge=1)] = 250
    bits_per_second: Annotated[int, msgspec.Meta(ge=1)] = 400_000
    half_open_max: Annotated[int, msgspec.Meta(ge=0)] = 2_000
    half_open_per_prefix_max: Annotated[int, msgspec.Meta(ge=0)] = 20
    drain_seconds: Annotated[float, msgspec.Meta(ge=0, le=10)] = 5.0
    metrics_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    evidence: str = ""
    log_form: Literal["console", "json"] = "console"
