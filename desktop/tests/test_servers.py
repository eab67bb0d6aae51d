"""A server is founded, shaped, filled, moderated and deleted, all from the window."""

import pytest

from desktop.tests.stage import Stage, Window
from sidetone.client.client import Client
from sidetone.desktop.domain.invite_link import read_invite
from sidetone.protocol.ids import ServerId
from sidetone.protocol.refusals import Forbidden
from sidetone.protocol.servers import Channel

pytestmark = pytest.mark.long


async def test_a_server_from_its_founding_to_its_end(stage: Stage) -> None:
    nova = await stage.client("nova")
    bolt = await stage.window("bolt")
    await bolt.register("bolt")
    await _found(bolt)
    await _invite(bolt, nova)
    server = (await nova.api.servers.mine())[0].id
    await _arrange(bolt, nova, server)
    await _give_a_role(bolt, nova, server)
    await _forbid_writing(bolt, nova, server)
    await _look_round(bolt)
    await _moderate(bolt, nova)
    await _delete(bolt)
    assert not bolt.process.unhappy()


async def _found(bolt: Window) -> None:
    await bolt.click("rail-add")
    await bolt.click("add-empty")
    await bolt.type("server-name", "Apex Squad", enter=True)
    await bolt.sees("server-Apex Squad")
    await bolt.sees("channel-general")


async def _invite(bolt: Window, nova: Client) -> None:
    await bolt.click("server-menu")
    await bolt.click("server-invite")
    await bolt.click("invite-make")
    link = read_invite(await bolt.said("invite-link"))
    await nova.api.servers.accept_invite(link.code)
    await bolt.press("Escape")
    await bolt.misses("invite-dialog")
    await bolt.sees("member-nova")


async def _arrange(bolt: Window, nova: Client, server: ServerId) -> None:
    await bolt.click("server-menu")
    await bolt.click("server-create-category")
    await bolt.type("channel-name", "Plans", enter=True)
    await bolt.click("category-add-Plans")
    await bolt.type("channel-name", "strategy", enter=True)
    await bolt.sees("channel-strategy")
    # A step up leads out of the category, and a folded one hides what is in it.
    await bolt.click("channel-menu-strategy")
    await bolt.click("channel-down")
    await bolt.click("channel-menu-strategy")
    await bolt.click("channel-up")
    while (await _channel(nova, server, "strategy")).parent is not None:
        await bolt.page.wait_for_timeout(50)
    await bolt.click("channel-general")
    await bolt.click("category-Plans")
    await bolt.sees("channel-strategy")


async def _give_a_role(bolt: Window, nova: Client, server: ServerId) -> None:
    await bolt.click("server-menu")
    await bolt.click("server-settings")
    await bolt.click("section-roles")
    await bolt.click("role-create")
    await bolt.type("role-name", "Captain")
    await bolt.click("color-#35D07F")
    await bolt.click("may-KICK_MEMBERS")
    await bolt.click("role-save")
    await bolt.sees("role-Captain")
    await bolt.type("member-search", "nov")
    await bolt.click("pick-nova")
    await bolt.sees("role-take-nova")
    state = await nova.api.servers.state(server)
    captain = next(role for role in state.roles if role.name == "Captain")
    assert captain.color == 0x35D07F
    assert next(m for m in state.members if m.user == nova.user.id).roles == [captain.id]


async def _forbid_writing(bolt: Window, nova: Client, server: ServerId) -> None:
    await bolt.click("section-channels")
    await bolt.hears("overwrite-preview", "Send messages")
    await bolt.click("overwrite-SEND_MESSAGES-deny")
    while "Send messages" in await bolt.said("overwrite-preview"):
        await bolt.page.wait_for_timeout(50)
    await bolt.click("overwrite-save")
    state = await nova.api.servers.state(server)
    while not any(channel.overwrites for channel in state.channels):
        state = await nova.api.servers.state(server)
    closed = next(channel for channel in state.channels if channel.overwrites)
    with pytest.raises(Forbidden):
        await nova.api.messages.send(closed.id, "am I heard?")


async def _look_round(bolt: Window) -> None:
    await bolt.click("section-see-as")
    await bolt.hears("see-abilities", "See channels")
    await bolt.click("section-members")
    await bolt.type("members-search", "nov")
    await bolt.sees("member-card-nova")
    await bolt.misses("member-card-bolt")
    await bolt.click("section-emoji")
    await bolt.sees("emoji-none")
    await bolt.click("section-reports")
    await bolt.sees("reports-none")
    await bolt.click("section-templates")
    await bolt.click("template-save")
    await bolt.sees("template-Apex Squad")


async def _moderate(bolt: Window, nova: Client) -> None:
    await bolt.click("section-members")
    await bolt.click("member-menu-nova")
    await bolt.click("member-ban")
    await bolt.type("reason", "too loud")
    await bolt.click("ban-yes")
    await bolt.misses("ban-dialog")
    await bolt.misses("member-card-nova")
    assert await nova.api.servers.mine() == []
    await bolt.click("section-bans")
    await bolt.hears("ban-nova", "nova")
    await bolt.click("unban-nova")
    await bolt.sees("bans-none")
    await bolt.click("section-audit")
    await bolt.click("audit-check")
    await bolt.hears("audit-checked", "as it was written")


async def _delete(bolt: Window) -> None:
    await bolt.click("section-owner")
    await bolt.click("server-delete")
    await bolt.type("delete-name", "Apex Squad")
    await bolt.click("delete-yes")
    await bolt.misses("server-Apex Squad")
    await bolt.sees("rail-home")


async def _channel(client: Client, server: ServerId, name: str) -> Channel:
    return next(each for each in await client.api.channels.of(server) if each.name == name)
