"""The way into a room, from the click to the first epoch, with the time that each step took."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from sidetone.client.api import Api
from sidetone.client.keystore import KeyStore
from sidetone.client.media_thread import MediaThread
from sidetone.client.session import Lost, Session, SessionOwner
from sidetone.client.stats import JoinSteps
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.e2ee.rejected import Rejected
from sidetone.protocol.accounts import Grant
from sidetone.protocol.calls import VoiceTicket
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.refusals import Unavailable

# Where datagrams to the voice node at (host, port) really go; a test puts a bad network between.
Route: TypeAlias = Callable[[str, int], tuple[str, int]]

_WELCOME_SECONDS_MAX = 3.0
_GROUP_SECONDS_MAX = 10.0


class Connector:
    """Makes sessions in one channel for one device."""

    def __init__(
        self, api: Api, keys: KeyStore, channel: ChannelId, server_host: str, route: Route | None
    ) -> None:
        self._api = api
        self._keys = keys
        self._channel = channel
        self._server_host = server_host
        self._route = route

    async def ticket(self) -> VoiceTicket:
        """Ask the server for the way in. Its refusals are final, except for trouble on the way."""
        return await self._api.voice.join(self._channel, self._keys.device)

    def session(self, ticket: VoiceTicket, audio: AudioKeys, owner: SessionOwner) -> Session:
        """Return a session that is not connected yet. Raises ``Unavailable`` for a bad grant."""
        keys, grant = self._keys, ticket.grant.wire
        try:
            device = (keys.identity, keys.trust)
            return Session(device, grant, ticket.grant_keys, audio, owner)
        except Rejected as rejected:
            raise Unavailable(
                "grant_unusable",
                f"the server's grant for this device is not valid ({rejected.code}); check that "
                "its services share one set of keys, and log in again",
            ) from None

    async def connect(
        self,
        session: Session,
        ticket: VoiceTicket,
        network: MediaThread,
        steps: "Stopwatch",
        timeout_seconds: float,
    ) -> None:
        """Bring *session* into the group by a link on the thread *network*.

        Raises a ``Refusal``; the session is then closed.
        """
        host, port = ticket.host or self._server_host, ticket.port
        if self._route is not None:
            host, port = self._route(host, port)
        try:
            link = await network.open_link(
                host, port, ticket.spki_sha256, session, timeout_seconds
            )
            steps.join.connected_ms = steps.now_ms()
            session.start(link, ticket.ticket)
            async with _at_most(_WELCOME_SECONDS_MAX, "the voice node did not let us in"):
                await session.welcomed
            steps.join.welcome_ms = steps.now_ms()
            async with _at_most(_GROUP_SECONDS_MAX, "the others did not let us into the group"):
                await session.in_group
            steps.join.epoch_ms = steps.now_ms()
        except BaseException:
            session.abort(Lost("join_failed", "the join was given up"))
            raise

    async def renewed_grant(self) -> tuple[Grant, list[bytes]]:
        """Return a new grant and the keys that verify grants now."""
        grant = await self._api.accounts.grant(self._channel, self._keys.device)
        return grant, await self._api.accounts.grant_keys()


class Stopwatch:
    """Times the steps of a join from the moment it is made."""

    def __init__(self) -> None:
        self.join = JoinSteps()
        self._loop = asyncio.get_running_loop()
        self._started_at = self._loop.time()

    def now_ms(self) -> float:
        """Return the milliseconds since the click."""
        return (self._loop.time() - self._started_at) * 1000


@asynccontextmanager
async def _at_most(seconds: float, complaint: str) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unavailable("join_late", f"{complaint} within {seconds:g} seconds") from None
