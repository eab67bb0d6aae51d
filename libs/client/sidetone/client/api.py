"""A server's REST routes as typed methods; every refusal is one of the seven kinds."""

from typing import Literal

from sidetone.client.requests import Requests
from sidetone.protocol.accounts import (
    AskGrant,
    Grant,
    GrantKeys,
    LoggedIn,
    LogIn,
    Register,
    RegisterDevice,
    User,
)
from sidetone.protocol.calls import JoinVoice, VoiceTicket
from sidetone.protocol.ids import ChannelId, DeviceId, ServerId, UserId
from sidetone.protocol.servers import (
    Channel,
    ChannelKind,
    CreateChannel,
    CreateInvite,
    CreateServer,
    Invite,
    Member,
    Server,
    SetOverwrite,
)


class Api:
    """What an account can ask of a server. Tokens are renewed by themselves."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    # --- auth ---

    async def register(self, name: str, password: str) -> LoggedIn:
        """Make an account and log in to it."""
        return await self._requests.sign_in("/auth/register", Register(name, password))

    async def log_in(self, name: str, password: str) -> LoggedIn:
        """Log in to an account."""
        return await self._requests.sign_in("/auth/login", LogIn(name, password))

    async def log_out(self) -> None:
        """End this login, also on the server."""
        await self._requests.sign_out()

    async def user(self, user: UserId) -> User:
        """Return what everybody may know of *user*."""
        return await self._requests.ask("GET", f"/auth/users/{user}", User)

    async def register_device(self, device: DeviceId, keys: RegisterDevice) -> None:
        """Publish the keys of *device*; repeating it changes nothing."""
        await self._requests.tell("PUT", f"/auth/devices/{device}", keys)

    async def grant(self, channel: ChannelId, device: DeviceId) -> Grant:
        """Return a new word of the auth service that *device* may be in *channel*."""
        return await self._requests.ask("POST", "/auth/grants", Grant, AskGrant(channel, device))

    async def grant_keys(self) -> list[bytes]:
        """Return the public keys that verify grants, the current one first."""
        return (await self._requests.ask("GET", "/auth/grant-keys", GrantKeys)).keys

    # --- chat ---

    async def servers(self) -> list[Server]:
        """Return the servers that the account is a member of."""
        return await self._requests.ask("GET", "/chat/servers", list[Server])

    async def create_server(self, name: str) -> Server:
        """Found a server; it starts with one text and one voice channel."""
        return await self._requests.ask("POST", "/chat/servers", Server, CreateServer(name))

    async def channels(self, server: ServerId) -> list[Channel]:
        """Return the channels of *server* that the account can see."""
        return await self._requests.ask("GET", f"/chat/servers/{server}/channels", list[Channel])

    async def create_channel(
        self, server: ServerId, name: str, kind: ChannelKind = "text"
    ) -> Channel:
        """Add a channel to *server*."""
        path = f"/chat/servers/{server}/channels"
        return await self._requests.ask("POST", path, Channel, CreateChannel(name, kind))

    async def members(self, server: ServerId) -> list[Member]:
        """Return who belongs to *server*."""
        return await self._requests.ask("GET", f"/chat/servers/{server}/members", list[Member])

    async def remove_member(self, server: ServerId, user: UserId) -> None:
        """Kick *user* from *server*, or leave it oneself; a call there ends at once."""
        await self._requests.tell("DELETE", f"/chat/servers/{server}/members/{user}")

    async def create_invite(
        self,
        server: ServerId,
        *,
        uses_max: int | None = None,
        lifetime_seconds: int | None = None,
    ) -> Invite:
        """Make a code that lets its holder into *server*."""
        body = CreateInvite(uses_max, lifetime_seconds)
        return await self._requests.ask("POST", f"/chat/servers/{server}/invites", Invite, body)

    async def accept_invite(self, code: str) -> Server:
        """Join the server that *code* invites to."""
        return await self._requests.ask("POST", f"/chat/invites/{code}/accept", Server)

    async def set_overwrite(
        self,
        channel: ChannelId,
        subject: UserId | Literal["everyone"],
        *,
        allow: int = 0,
        deny: int = 0,
    ) -> None:
        """Set what *subject* may do in *channel*, beside what the server lets everybody do."""
        path = f"/chat/channels/{channel}/overwrites/{subject}"
        await self._requests.tell("PUT", path, SetOverwrite(allow, deny))

    # --- voice ---

    async def join_voice(self, channel: ChannelId, device: DeviceId) -> VoiceTicket:
        """Return where the call of *channel* is and the ticket that opens the door once."""
        path = f"/voice/channels/{channel}/join"
        return await self._requests.ask("POST", path, VoiceTicket, JoinVoice(device))
