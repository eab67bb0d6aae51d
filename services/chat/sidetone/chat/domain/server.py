"""What a server is made of when it is new, and how much it can hold."""

from sidetone.permissions import EVERYONE, Permission
from sidetone.protocol.ids import ChannelId, RoleId, UserId
from sidetone.protocol.refusals import Conflict, NotFound
from sidetone.protocol.servers import Channel, Member, Role, Server, ServerState

# Per user; the others are per server.
SERVERS_MAX = 200
CONVERSATIONS_MAX = 1_000
MEMBERS_MAX = 5_000
CHANNELS_MAX = 500
ROLES_MAX = 250
EMOJI_MAX = 200

# What everyone may do in a conversation; nobody stands above the others there.
IN_CONVERSATION = (EVERYONE | Permission.MENTION_EVERYONE) & ~(
    Permission.CREATE_INVITE | Permission.CREATE_THREADS | Permission.CHANGE_NICKNAME
)


def everyone(server: Server) -> Role:
    """Return the role that all members have from the first moment on."""
    bits = EVERYONE if server.kind == "community" else IN_CONVERSATION
    return Role(RoleId(server.id), "everyone", 0, int(bits))


def community(server: Server, writing: ChannelId, talking: ChannelId, now_ms: int) -> ServerState:
    """Return a new community that can be used at once: one place to write, one to talk."""
    channels = [
        Channel(writing, server.id, "general", "text", position=0),
        Channel(talking, server.id, "Lounge", "voice", position=1),
    ]
    founder = Member(server.owner, now_ms)
    return ServerState(server, 1, [everyone(server)], channels, [founder])


def conversation(
    server: Server, channel: ChannelId, users: list[UserId], now_ms: int
) -> ServerState:
    """Return a new conversation of *users*."""
    place = Channel(channel, server.id, server.name, "direct")
    members = [Member(user, now_ms) for user in users]
    return ServerState(server, 1, [everyone(server)], [place], members)


def require_room_for_one_more(count: int, count_max: int, what: str) -> None:
    """Refuse the addition that would pass *count_max*.

    >>> require_room_for_one_more(500, 500, "channels")
    Traceback (most recent call last):
    sidetone.protocol.refusals.Conflict: channels_too_many: there are already 500 channels; ...
    """
    if count >= count_max:
        raise Conflict(
            f"{what}_too_many", f"there are already {count_max} {what}; remove one first"
        )


def unknown_server() -> NotFound:
    """Return the one refusal for servers that are absent and servers of others."""
    return NotFound("server_unknown", "there is no such server, or you are not a member")
