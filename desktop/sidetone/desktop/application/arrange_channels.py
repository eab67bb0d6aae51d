"""Put channels in another order, and into other categories."""

from msgspec import UNSET

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.channel_order import Arranged, Step, dropped, stepped
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.servers import EditChannel


async def drop_channel(
    account: Account, server: ServerId, moved: ChannelId, onto: ChannelId
) -> None:
    """Let *moved* take the place of another channel, or be the first of a category."""
    community = account.knowledge.communities[server]
    await _arrange(account, server, moved, dropped(community.visible(account.id), moved, onto))


async def step_channel(account: Account, server: ServerId, moved: ChannelId, step: Step) -> None:
    """Move a channel or a category one place up or down."""
    community = account.knowledge.communities[server]
    await _arrange(account, server, moved, stepped(community.visible(account.id), moved, step))


async def _arrange(
    account: Account, server: ServerId, moved: ChannelId, ask: Arranged | None
) -> None:
    if ask is None:
        return
    channels = account.client.api.channels
    community = account.knowledge.communities[server]
    if community.channels[moved].parent != ask.parent:
        await channels.edit(moved, EditChannel(UNSET, UNSET, UNSET, ask.parent))
    order = channel_order_of(account, server)
    if ask.order != order:
        await channels.order(server, ask.order)


def channel_order_of(account: Account, server: ServerId) -> list[ChannelId]:
    """Return the order of channels as the server keeps it."""
    community = account.knowledge.communities[server]
    placed = (each for each in community.visible(account.id) if each.kind != "thread")
    return [each.id for each in sorted(placed, key=lambda each: (each.position, each.id))]
