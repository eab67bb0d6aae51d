"""Talk with one, or with a few, outside of servers."""

from collections.abc import Sequence

from sidetone.community import Community
from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.people import channel_of
from sidetone.protocol.events import ServerOpened
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import ServerState


async def open_conversation(
    account: Account, users: Sequence[UserId], name: str = ""
) -> tuple[ServerId, ChannelId]:
    """Return the conversation with *users*, known at once; that with one is always the same."""
    state = await account.client.api.people.open_conversation(*users, name=name.strip())
    conversation = _known(account, state)
    return ServerId(state.server.id), ChannelId(channel_of(conversation).id)


async def rename(account: Account, conversation: ServerId, name: str) -> None:
    """Name a group."""
    await account.client.api.people.rename_conversation(conversation, name.strip())


async def bring_in(account: Account, conversation: ServerId, users: Sequence[UserId]) -> None:
    """Bring friends into a group, one after another."""
    for user in users:
        await account.client.api.people.bring_in(conversation, user)


async def leave(account: Account, conversation: ServerId) -> None:
    """Leave a group."""
    await account.client.api.people.leave_conversation(conversation, account.id)


def _known(account: Account, state: ServerState) -> Community:
    id_ = ServerId(state.server.id)
    # What the gateway told of it meanwhile is never older.
    if id_ not in account.knowledge.communities:
        opened = ServerOpened(state)
        account.told(account.knowledge.apply(opened, account.clock.now_ms()))
    return account.knowledge.communities[id_]
