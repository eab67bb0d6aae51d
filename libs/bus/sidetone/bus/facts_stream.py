"""The stream of facts on NATS: what it is called, what it keeps, and where each fact goes."""

from typing import Final

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError

from sidetone.bus.following import REPEATS_SECONDS
from sidetone.protocol.events import Audience, InChannel, InServer, Services

STREAM: Final = "FACTS"
# How long the server may take to keep what it was sent, or to answer anything else.
ANSWER_SECONDS_MAX: Final = 2.0

_CONFIG: Final = StreamConfig(
    name=STREAM,
    subjects=["facts.>"],
    max_age=86_400,
    max_bytes=1 << 30,
    duplicate_window=REPEATS_SECONDS,
)


def stream_of(client: Client) -> JetStreamContext:
    """Return what *client* asks the server about streams with."""
    return client.jetstream(timeout=ANSWER_SECONDS_MAX)  # pyright: ignore[reportUnknownMemberType]


async def last_of(stream: JetStreamContext) -> int:
    """Return the number of the last fact in the stream, which is made where there is none."""
    try:
        state = (await stream.stream_info(STREAM)).state
    except NotFoundError:
        state = (await stream.add_stream(_CONFIG)).state  # pyright: ignore[reportUnknownMemberType]
    return state.last_seq


def subject_of(audience: Audience) -> str:
    """Return where facts for *audience* go, so that somebody could follow a part of them.

    >>> subject_of(Services())
    'facts.services'
    """
    match audience:
        case InServer(server) | InChannel(server, _):
            return f"facts.server.{server.hex}"
        case Services():
            return "facts.services"
        case _:
            return "facts.users"
