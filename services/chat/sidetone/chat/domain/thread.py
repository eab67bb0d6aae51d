"""Where threads can hang, and how many."""

from sidetone.community import Community
from sidetone.protocol.ids import MessageId
from sidetone.protocol.refusals import Conflict
from sidetone.protocol.servers import Channel

OPEN_MAX = 200


def thread_from(community: Community, origin: MessageId) -> Channel | None:
    """Return the open thread that began with *origin*."""
    return next(
        (
            channel
            for channel in community.channels.values()
            if channel.kind == "thread" and channel.origin == origin
        ),
        None,
    )


def require_room(community: Community) -> None:
    """Refuse one more open thread than a server holds."""
    if sum(channel.kind == "thread" for channel in community.channels.values()) >= OPEN_MAX:
        raise Conflict(
            "threads_full", f"a server holds {OPEN_MAX} open threads; archive one, then try again"
        )


def require_text_channel(channel: Channel) -> None:
    """Refuse threads in threads, in voice channels and in conversations."""
    if channel.kind != "text":
        raise Conflict("threads_elsewhere", "threads hang at messages of text channels")
