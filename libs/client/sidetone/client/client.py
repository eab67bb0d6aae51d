"""The door of the SDK: an account on a server, and the calls of its channels."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from uuid import UUID

import platformdirs

from sidetone.client.api import Api
from sidetone.client.commands import Commands
from sidetone.client.device_linking import DeviceLinking
from sidetone.client.gateway_link import Connection, GatewayLink, Happening
from sidetone.client.keystore import KeyStore, Secrets
from sidetone.client.pinned import Endpoint
from sidetone.client.requests import Requests
from sidetone.protocol.accounts import LoggedIn, User
from sidetone.protocol.ids import ChannelId, DeviceId
from sidetone.protocol.refusals import Forbidden, Invalid, NotFound, Unauthenticated
from sidetone.protocol.servers import Channel

if TYPE_CHECKING:
    # What knows sound imports kernels, and these take a while: see `join_voice`.
    from sidetone.audio.devices import Microphone, Speaker
    from sidetone.audio.settings import VoiceSettings
    from sidetone.client.call import Call
    from sidetone.client.connector import Route
    from sidetone.client.listening import Hear


class Client:
    """One account on one server, from one device.

    *address* is ``sidetone://host:port#pin``, or ``http://`` to this machine. Keys are kept under
    *data_dir*, by server and account; a key in *secrets* seals them, else *passphrase*, else the
    account's password (see ``keystore``). *route* says where a voice node's datagrams really go.
    *renewed* hears each new login: who keeps its refresh token can ``log_in_again``.
    """

    def __init__(
        self,
        address: str,
        *,
        data_dir: Path | None = None,
        secrets: Secrets | None = None,
        passphrase: str | None = None,
        route: "Route | None" = None,
        renewed: Callable[[LoggedIn], None] = lambda _: None,
    ) -> None:
        self._endpoint = Endpoint(address)
        self._requests = Requests(self._endpoint, renewed)
        self.api = Api(self._requests)
        folder = data_dir or platformdirs.user_data_path("sidetone", appauthor=False) / "client"
        self._folder = folder / self._endpoint.name
        self._secrets = secrets
        self._passphrase = passphrase
        self._route = route
        self._keys: KeyStore | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._keys is not None:
            await self._keys.close()
        await self._requests.close()

    async def register(self, name: str, password: str) -> User:
        """Make an account, log in to it, and make this device known."""
        return await self._open_keys(await self.api.accounts.register(name, password), password)

    async def log_in(self, name: str, password: str, *, code: str = "") -> User:
        """Log in, and make this device known; its keys are made the first time.

        *code* is of the second factor, where the account has one.
        """
        return await self._open_keys(
            await self.api.accounts.log_in(name, password, code=code), password
        )

    async def log_in_again(self, refresh_token: str) -> User:
        """Go on with a login of before; the vault must be sealed by a key in *secrets*."""
        self._require_secrets()
        login = await self._requests.sign_in_again(refresh_token)
        return await self._open_keys(login, "")

    async def log_in_with(self, login: LoggedIn) -> User:
        """Go on with a *login* by a provider, under the same condition."""
        self._require_secrets()
        self._requests.sign_in_with(login)
        return await self._open_keys(login, "")

    async def log_in_bot(self, token: str) -> User:
        """Log in as a bot, and make this device known if the bot may talk."""
        login = await self.api.accounts.log_in_bot(token)
        with suppress(Forbidden):
            await self._open_keys(login, token)
        return self.user

    async def log_out(self) -> None:
        """End the login on the server; the keys stay on this device."""
        keys, self._keys = self._keys, None
        if keys is not None:
            await keys.close()
        await self.api.accounts.log_out()

    @property
    def user(self) -> User:
        """Who is logged in. Raises ``Unauthenticated`` if nobody is."""
        login = self._requests.login
        if login is None:
            raise _NOT_LOGGED_IN
        return User(login.user, login.name)

    @property
    def device(self) -> DeviceId:
        """Which device this is. Raises ``Unauthenticated`` before the log-in."""
        return self._open_keystore().device

    @property
    def linking(self) -> DeviceLinking:
        """What this device can do about the others; ``Unauthenticated`` before the log-in."""
        return DeviceLinking(self.api, self._open_keystore())

    @property
    def commands(self) -> Commands:
        """What this bot can be asked, and what other bots can be."""
        return Commands(self._requests, self.events)

    async def find_channel(self, name: str) -> Channel:
        """Return the voice channel called *name*, ``Server/Channel`` or by its id.

        Raises ``NotFound``, or ``Invalid`` when several are called so.
        """
        found = [
            channel
            for server in await self.api.servers.mine()
            for channel in await self.api.channels.of(server.id)
            if channel.kind == "voice"
            and name in {channel.name, f"{server.name}/{channel.name}", str(channel.id)}
        ]
        if not found:
            raise NotFound(
                "channel_unknown", f"no voice channel is called {name!r}, or it is not for you"
            )
        if len(found) > 1:
            raise Invalid(
                "channel_ambiguous", f"several are called {name!r}; say Server/Channel, or the id"
            )
        return found[0]

    @asynccontextmanager
    async def join_voice(
        self,
        channel: ChannelId | UUID,
        *,
        microphone: "Microphone | None" = None,
        speaker: "Speaker | None" = None,
        hear: "Hear | None" = None,
        voice: "VoiceSettings | None" = None,
    ) -> "AsyncGenerator[Call]":
        """Be in the call of *channel* for the length of the block.

        Without *microphone* clips can be played; without *speaker* nothing sounds. *hear* gets
        each decoded frame of each user, on a thread of its own. The block begins when this device
        is in the group. Raises a ``Refusal`` that says why it cannot be.
        """
        keys = self._open_keystore()
        await asyncio.to_thread(_warm_up)
        from sidetone.client import call as calls  # noqa: PLC0415 - the kernels are ready by now

        connector = calls.Connector(
            self.api, keys, ChannelId(channel), self._endpoint.host, self._route
        )
        call = calls.Call(connector, keys, calls.Sound(microphone, speaker, hear, voice))
        try:
            await call.start()
            yield call
        finally:
            await call.leave()

    def events(
        self, connected: Callable[[Connection], None] = lambda _: None
    ) -> AbstractAsyncContextManager[AsyncIterator[Happening]]:
        """Hear what happens for the length of the block: a ``Ready`` first, then events.

        Drops are repaired unseen but for *connected*, which hears of them. Another ``Ready`` may
        come later, and replaces all before it.
        """
        return GatewayLink(self._endpoint, self._requests, connected).listening()

    async def _open_keys(self, login: LoggedIn, password: str) -> User:
        passphrase = password if self._passphrase is None else self._passphrase
        keys = await KeyStore.open(self._folder, login.user, passphrase, self._secrets)
        self._keys = keys
        await self.api.accounts.register_device(keys.device, keys.public_keys())
        return User(login.user, login.name)

    def _require_secrets(self) -> None:
        if self._secrets is None:
            raise Invalid("secrets_missing", "without a keyring the password is needed; log in")

    def _open_keystore(self) -> KeyStore:
        if self._keys is None:
            raise _NOT_LOGGED_IN
        return self._keys


def _warm_up() -> None:
    from sidetone.audio.warm import warm_up  # noqa: PLC0415 - the compiler alone takes 0.3 s
    from sidetone.client.link_trial import kernels_work  # noqa: PLC0415 - and so do these kernels

    warm_up()
    kernels_work()


_NOT_LOGGED_IN = Unauthenticated("not_logged_in", "log in first")
