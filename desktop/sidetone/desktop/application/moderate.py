"""Keep a server a good place: silence people for a while, and name them."""

from typing import Final

from msgspec import UNSET

from sidetone.desktop.application.account import Account
from sidetone.protocol.ids import ServerId, UserId
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


async def name_member(account: Account, server: ServerId, user: UserId, nickname: str) -> None:
    """Call *user* something else in *server*; nothing: by their own name."""
    changes = EditMember(nickname=nickname.strip() or None)
    await account.client.api.members.edit(server, user, changes)
