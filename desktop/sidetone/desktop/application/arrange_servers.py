"""Arrange the rail and fold categories, for oneself alone: kept with what is set."""

import msgspec

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.program import Core
from sidetone.desktop.domain.preferences import APART_MAX, Layout, Loudness
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.servers import Server


def servers_of(core: Core) -> list[tuple[Account, Server]]:
    """Return the servers of all accounts in the order in which they were put, new ones last."""
    rank = {server: place for place, server in enumerate(core.preferences.current.layout.servers)}
    found = [
        (account, community.server)
        for account in core.accounts.values()
        for community in account.knowledge.communities.values()
        if community.server.kind == "community"
    ]
    return sorted(found, key=lambda each: rank.get(ServerId(each[1].id), len(rank)))


def drop_server(core: Core, moved: ServerId, onto: ServerId) -> None:
    """Let *moved* take the place of another server in the rail."""
    order = [ServerId(server.id) for _, server in servers_of(core)]
    if moved == onto or moved not in order or onto not in order:
        return
    place = order.index(onto)
    order.remove(moved)
    order.insert(place, moved)
    _arrange(core, servers=tuple(order[:APART_MAX]))


def step_server(core: Core, moved: ServerId, step: int) -> None:
    """Move a server one place up or down in the rail."""
    order = [ServerId(server.id) for _, server in servers_of(core)]
    place = order.index(moved) + step
    if 0 <= place < len(order):
        drop_server(core, moved, order[place])


def fold(core: Core, category: ChannelId) -> None:
    """Fold a category up, or down again."""
    folded = core.preferences.current.layout.collapsed
    wished = folded ^ {category}
    if len(wished) <= APART_MAX:
        _arrange(core, collapsed=wished)


def mute(core: Core, place: ServerId | ChannelId, loudness: Loudness | None) -> None:
    """Say what of a server or a channel is announced; None: as everywhere."""
    current = core.preferences.current
    notifications = current.notifications
    field = "servers" if _is_server(core, place) else "channels"
    wishes: dict[ServerId | ChannelId, Loudness] = dict(getattr(notifications, field))
    wishes.pop(place, None)
    if loudness is not None:
        wishes[place] = loudness
    changed = msgspec.structs.replace(notifications, **{field: wishes})
    core.preferences.change(msgspec.structs.replace(current, notifications=changed))


def is_muted(core: Core, server: ServerId, channel: ChannelId | None = None) -> bool:
    """Return whether nothing of a server, or of a channel in it, is announced."""
    wishes = core.preferences.current.notifications
    whole = wishes.servers.get(server)
    own = wishes.channels.get(channel) if channel is not None else None
    return (own or whole) == "nothing"


def _is_server(core: Core, place: ServerId | ChannelId) -> bool:
    return any(place in each.knowledge.communities for each in core.accounts.values())


def _arrange(core: Core, **changes: object) -> None:
    current = core.preferences.current
    layout: Layout = msgspec.structs.replace(current.layout, **changes)
    core.preferences.change(msgspec.structs.replace(current, layout=layout))
