"""Ask somebody to be friends, answer who asked, and hear nothing more of somebody."""

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.social import Relationship


async def ask_friend(account: Account, name: str) -> Relationship:
    """Ask who has exactly this *name*, or accept what they asked. Raises ``NotFound``."""
    wanted = name.strip().removeprefix("@")
    if not wanted:
        raise Invalid("name_missing", tr("Write the name that your friend signs in with."))
    user = await account.client.api.accounts.user_named(wanted)
    if user.id == account.id:
        raise Invalid("friend_self", tr("That is you."))
    account.learn(user)
    return await account.client.api.people.befriend(user.id)


async def accept(account: Account, user: UserId) -> None:
    """Be friends with *user*, who asked."""
    await account.client.api.people.befriend(user)


async def part(account: Account, user: UserId) -> None:
    """End a friendship, decline or take back a request, or unblock *user*."""
    await account.client.api.people.part(user)


async def block(account: Account, user: UserId) -> None:
    """Hear nothing more from *user*; a friendship ends with it."""
    await account.client.api.people.block(user)
