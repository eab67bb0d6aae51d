"""The limits of the gateway, in one place."""

import msgspec


class Policy(msgspec.Struct, frozen=True):
    """What a client may do, and what is kept for it.

    A client that was *silence_ms* without a word is gone. A socket that takes nothing for
    *stall_ms*, or is a quarter of what is kept behind, is too slow. After a drop a session is
    kept for *kept_ms*, with at most *kept_events* events of *kept_bytes* together.
    """

    heartbeat_ms: int = 5_000
    silence_ms: int = 12_000
    identify_ms: int = 5_000
    stall_ms: int = 5_000
    goodbye_ms: int = 2_000
    frame_bytes_max: int = 64 * 1024
    frames_per_minute: int = 120
    identifies_per_minute: int = 60
    kept_events: int = 512
    kept_bytes: int = 256 * 1024
    kept_ms: int = 90_000
    sessions_per_user: int = 20
    sockets_max: int = 20_000
    greetings_per_address: int = 256
    origins: list[str] = []


DEFAULT = Policy()
