"""What moderators do in voice channels: silence, deafen, move and put out."""

from sidetone.desktop.application.account import Account
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import EditMember


async def mute_member(account: Account, server: ServerId, user: UserId, *, muted: bool) -> None:
    """Let *user* be heard nowhere in *server*, or again."""
    await account.client.api.members.edit(server, user, EditMember(muted=muted))


async def deafen_member(
    account: Account, server: ServerId, user: UserId, *, deafened: bool
) -> None:
    """Let *user* hear nobody in *server*, or again."""
    await account.client.api.members.edit(server, user, EditMember(deafened=deafened))


async def move_member(
    account: Account, source: ChannelId, user: UserId, target: ChannelId
) -> None:
    """Take *user* from one voice channel to another."""
    await account.client.api.voice.move(source, user, target)


async def put_out(account: Account, channel: ChannelId, user: UserId) -> None:
    """Take *user* out of a voice channel; they may come back."""
    await account.client.api.voice.disconnect(channel, user)
