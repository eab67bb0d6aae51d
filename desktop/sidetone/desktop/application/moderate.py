"""Keep a server a good place: silence people for a while, here or in calls."""

from typing import Final

from msgspec import UNSET

from sidetone.desktop.application.account import Account
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import EditMember

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
# The server allows 28 days at most; a clock that is a little ahead must not ask for more.
LONGEST: Final = 28 * DAY - MINUTE


async def time_out(
    account: Account, server: ServerId, user: UserId, lasts_ms: int, reason: str = ""
) -> None:
    """Let *user* neither write nor talk for *lasts_ms*; 0 ends it now."""
    until_ms = account.clock.now_ms() + lasts_ms if lasts_ms else 0
    changes = EditMember(UNSET, until_ms, UNSET, UNSET, reason)
    await account.client.api.members.edit(server, user, changes)


async def silence(
    account: Account,
    server: ServerId,
    user: UserId,
    *,
    muted: bool | None = None,
    deafened: bool | None = None,
) -> None:
    """Let *user* not be heard, or not hear, in all calls of *server*; None leaves it as it is."""
    changes = EditMember(
        muted=UNSET if muted is None else muted,
        deafened=UNSET if deafened is None else deafened,
    )
    await account.client.api.members.edit(server, user, changes)


async def name_member(account: Account, server: ServerId, user: UserId, nickname: str) -> None:
    """Call *user* something else in *server*; nothing: by their own name."""
    changes = EditMember(nickname=nickname.strip() or None)
    await account.client.api.members.edit(server, user, changes)


def voice_of(account: Account, server: ServerId, user: UserId) -> ChannelId | None:
    """Return the voice channel of *server* that *user* is in."""
    community = account.knowledge.communities.get(server)
    for channel in community.channels if community is not None else ():
        if user in account.knowledge.voices.get(ChannelId(channel), {}):
            return ChannelId(channel)
    return None
