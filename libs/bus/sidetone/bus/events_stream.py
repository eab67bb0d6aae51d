"""The public stream on NATS: JSON for integrators, kept for a week, each event once.

It lives in an account of its own where the server has accounts: those who read it have no way to
what services say to each other.
"""

from typing import Final

import msgspec
from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StreamConfig
from nats.js.errors import NotFoundError

from sidetone.bus.access import Access
from sidetone.bus.following import REPEATS_SECONDS
from sidetone.bus.nats import OPEN, connected, disconnect
from sidetone.protocol.public import PublicEvent
from sidetone.protocol.refusals import Unavailable

STREAM: Final = "EVENTS"
SUBJECTS: Final = "events.>"
ANSWER_SECONDS_MAX: Final = 2.0

CONFIG: Final = StreamConfig(
    name=STREAM,
    subjects=[SUBJECTS],
    max_age=7 * 86_400,
    max_bytes=4 << 30,
    discard=DiscardPolicy.OLD,
    duplicate_window=REPEATS_SECONDS,
    # Nobody takes single events out of it, or all of them: they go when they are old.
    deny_delete=True,
    deny_purge=True,
)


class NatsEvents:
    """Writes the stream, which is made where it does not exist."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stream = stream_of(client)
        self._is_there = False

    @classmethod
    async def connect(cls, url: str, access: Access = OPEN) -> "NatsEvents":
        """Connect to the server. Raises ``Unavailable`` where there is none."""
        return cls(await connected(url, access))

    async def keep(self, event: PublicEvent) -> None:
        """Put *event* into the stream, unless it has it; kept when this returns.

        Raises ``Unavailable``: it may have been kept then, so keep it again.
        """
        try:
            if not self._is_there:
                await make_stream(self._stream)
                self._is_there = True
            await self._stream.publish(
                event.subject,
                msgspec.json.encode(event),
                stream=STREAM,
                headers={"Nats-Msg-Id": event.id.hex},
            )
        except (Error, OSError, TimeoutError) as error:
            self._is_there = False
            reason = str(error) or type(error).__name__
            detail = f"the public stream does not answer ({reason}); events wait until it does"
            raise Unavailable("events_unavailable", detail) from error

    async def close(self) -> None:
        """Disconnect."""
        await disconnect(self._client)


def stream_of(client: Client) -> JetStreamContext:
    """Return the side of *client* that speaks to streams."""
    return client.jetstream(timeout=ANSWER_SECONDS_MAX)  # pyright: ignore[reportUnknownMemberType]


async def make_stream(stream: JetStreamContext) -> None:
    """Make the stream of public events, unless it is there. Raises what the client raises."""
    try:
        await stream.stream_info(STREAM)
    except NotFoundError:
        await stream.add_stream(CONFIG)  # pyright: ignore[reportUnknownMemberType]
