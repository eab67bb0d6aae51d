"""A server with something of everything in it, run as an operator runs it.

What the tests of the whole interface try to reach: Ada's server and all that belongs to it and to
her. Ben is a member without roles, Eve is a stranger.
"""

import asyncio
import io
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from PIL import Image

from sidetone.client.client import Client
from sidetone.client.requests import Requests
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.servers import CreateRole, ServerState
from sidetone.protocol.social import SetPresence

PASSWORD = "a dozen green umbrellas"
# The tests ask faster than people do. The limits themselves have tests of their own.
LIMITS = {
    "SIDETONE_REGISTRATIONS_PER_MINUTE": "100000",
    "SIDETONE_LOGINS_PER_MINUTE": "100000",
    "SIDETONE_MESSAGES_PER_CHANNEL_PER_SECOND": "10000",
    "SIDETONE_REQUESTS_PER_CALLER_PER_SECOND": "10000",
    "SIDETONE_REQUESTS_PER_ADDRESS_PER_SECOND": "10000",
}


@dataclass(frozen=True)
class Town:
    """Where the server is, who is there, and what stands for each parameter of a path."""

    address: str
    url: str
    ada: Client
    ben: Client
    eve: Client
    state: ServerState
    things: Mapping[str, str]
    spare: Mapping[str, str]


@asynccontextmanager
async def served(folder: Path) -> AsyncGenerator[str]:
    """Run ``sidetone serve`` on a free port; give its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "sidetone.all_in_one", "serve", "--host", "127.0.0.1", "--port", "0"),
        *("--data", str(folder)),
        stdout=PIPE,
        env={**os.environ, **LIMITS},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        yield line.decode().split()[-1]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def open_town(folder: Path) -> AsyncGenerator[Town]:
    """Run a server and fill it."""
    async with served(folder / "server") as address, AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(Client(address, data_dir=folder / name))
            for name in ("ada", "ben", "eve")
        ]
        for client, name in zip(people, ("Ada", "Ben", "Eve"), strict=True):
            await client.register(name, PASSWORD)
        ada, ben, eve = people
        state = await _found(ada, ben)
        things = await _fill(ada, ben, state)
        spare = await _second(ada)
        url = f"https://{address.removeprefix('sidetone://').partition('#')[0]}"
        yield Town(address, url, ada, ben, eve, state, things, spare)


def requests_of(client: Client) -> Requests:
    """Return what a client sends its requests by: tests ask for what no method of it asks."""
    return client._requests


async def _found(ada: Client, ben: Client) -> ServerState:
    server = await ada.api.servers.create("The Tavern")
    await ben.api.servers.accept_invite((await ada.api.servers.invite(server.id)).code)
    await ada.api.channels.create(server.id, "Back room", "category")
    await ada.api.members.create_role(
        server.id, CreateRole("Healer", int(Permission.SEND_MESSAGES))
    )
    return await ada.api.servers.state(server.id)


async def _fill(ada: Client, ben: Client, state: ServerState) -> dict[str, str]:
    server, api = state.server.id, ada.api
    channel = next(one.id for one in state.channels if one.kind == "text")
    role = next(one.id for one in state.roles if one.id != server)
    attachment = await api.media.upload(b"all our secrets", "plan.txt", "text/plain")
    first = await api.messages.send(channel, "who brings what?", attachments=[attachment.id])
    thread = await api.messages.open_thread(channel, first.id, "Provisions")
    await api.messages.pin(channel, first.id)
    await api.messages.react(channel, first.id, "🍺")
    await api.messages.mark_read(channel, first.id)
    emoji = await api.servers.create_emoji(server, "ale", await _picture(ada))
    report = await ben.api.moderation.report(server, ada.user.id, "too loud")
    await ben.api.people.befriend(ada.user.id)
    await api.people.befriend(ben.user.id)
    conversation = await api.people.open_conversation(ben.user.id)
    await api.messages.send(conversation.channels[0].id, "between us")
    call = await api.voice.call(conversation.channels[0].id)
    await api.people.set_presence(SetPresence("dnd", "raiding"))
    bot = await api.accounts.create_bot("Barkeeper", ["read", "write"])
    login = next(one.id for one in await api.accounts.logins() if one.current)
    template = await api.servers.save_template(server, "Taverns")
    invite = await api.servers.invite(server)
    await ada.linking.ask()
    return await _integrate(ada, server, channel) | {
        "server": str(server),
        "channel": str(channel),
        "message": str(first.id),
        "role": str(role),
        "member": str(ben.user.id),
        "thread": str(thread.id),
        "emoji": str(emoji.id),
        "report": str(report.id),
        "call": str(call.id),
        "target": str(channel),
        "subject": str(role),
        "whose": str(ada.user.id),
        "other": str(ben.user.id),
        "bot": str(bot.bot.user),
        "login": str(login),
        "device": str(ada.device),
        "file": str(attachment.id),
        "invite": invite.code,
        "template": template.code,
        "conversation": str(conversation.server.id),
        "user": str(ada.user.id),
    }


async def _integrate(ada: Client, server: ServerId, channel: ChannelId) -> dict[str, str]:
    """Let other programs in; what they have not done yet is named by what there is."""
    made = await ada.api.webhooks.create(server, "Board", "https://board.example/hook")
    incoming = await ada.api.webhooks.create_incoming(channel, "Weather")
    webhook = str(made.webhook.id)
    things = dict.fromkeys(("webhook", "delivery", "command", "invocation"), webhook)
    return things | {"incoming": str(incoming.webhook.id)}


async def _second(ada: Client) -> dict[str, str]:
    """Make a server that may be deleted while the first is still needed."""
    server = await ada.api.servers.create("The Annex")
    channel = (await ada.api.channels.of(server.id))[0].id
    role = await ada.api.members.create_role(server.id, CreateRole("Guest"))
    return {"server": str(server.id), "channel": str(channel), "role": str(role.id)}


async def _picture(client: Client) -> UUID:
    drawn = io.BytesIO()
    Image.new("RGBA", (64, 64), "gold").save(drawn, "PNG")
    return (await client.api.media.upload(drawn.getvalue(), "a.png", "image/png", "emoji")).id
