"""Keeps a call connected: joins, and joins again when the connection is lost, until it may not."""

import asyncio
import logging
import secrets
from typing import Final, Literal, Protocol, TypeAlias

from sidetone.client.connector import Connector, Stopwatch
from sidetone.client.media_thread import MediaThread
from sidetone.client.session import Lost, Session, SessionOwner
from sidetone.client.stats import JoinSteps
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.protocol.calls import VoiceTicket
from sidetone.protocol.refusals import Conflict, RateLimited, Refusal, Unavailable

_log = logging.getLogger(__name__)

State: TypeAlias = Literal["connecting", "live", "reconnecting", "ended"]

# Ends that joining again would not mend, or that would fight with our own other connection.
_FINAL: Final = frozenset({"left", "device_replaced", "rights_lost", "put_out"})
_FIRST_JOIN_SECONDS_MAX = 6.0
_HANDSHAKE_SECONDS_MAX = 3.0
_PAUSE_SECONDS_MIN = 0.1
_PAUSE_SECONDS_MAX = 3.0
# A connection that lasted this long was a good one: after it, the first try is made at once.
_STABLE_SECONDS = 5.0


class LifelineOwner(SessionOwner, Protocol):
    """Who hears how the connection fares. Called on the event loop; must not block."""

    keys: AudioKeys
    network: MediaThread

    def on_session(self) -> None:
        """Forget the places in the room: a new connection is being made."""
        ...

    def on_reconnecting(self, lost: Lost) -> None:
        """Note that the connection is lost and being made anew."""
        ...

    def on_reconnected(self) -> None:
        """Note that the call goes on."""
        ...

    def on_ended(self, lost: Lost) -> None:
        """Note that the call is over for good."""
        ...


class Lifeline:
    """The connections of one call, one after another."""

    def __init__(self, connector: Connector, owner: LifelineOwner) -> None:
        self.state: State = "connecting"
        self.session: Session | None = None
        self._connector = connector
        self._owner = owner
        self._stopwatch = Stopwatch()
        self._keeping: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._attempts = 0
        self._live_at = 0.0

    @property
    def steps(self) -> JoinSteps:
        """How long each step of the present connection's join took."""
        return self._stopwatch.join

    def note_audio(self, ago_ms: float) -> None:
        """Note that the first sound of this connection was decrypted, some time ago."""
        if self.steps.first_audio_ms is None:
            self.steps.first_audio_ms = self._stopwatch.now_ms() - ago_ms

    async def start(self) -> None:
        """Join for the first time.

        The server's refusal is raised at once; a node that does not answer is tried again for a
        few seconds, because it may just be starting anew.
        """
        give_up_at = self._loop.time() + _FIRST_JOIN_SECONDS_MAX
        while True:
            ticket = await self._connector.ticket()
            try:
                await self._join(ticket)
                break
            except Unavailable:
                if self._loop.time() >= give_up_at:
                    raise
            await asyncio.sleep(self._pause_seconds())
        self._go_live()
        self._keeping = asyncio.create_task(self._keep())

    async def leave(self) -> None:
        """Say goodbye; no connection is made any more."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
        if self.session is not None:
            await self.session.leave()
        self._end(Lost("left", "the call was left"))

    async def _keep(self) -> None:
        try:
            self._end(await self._until_final())
        except Exception:
            _log.exception("a call ended by a fault of this program")
            self._end(Lost("internal_error", "the call ended by a fault; see the log"))

    async def _until_final(self) -> Lost:
        while True:
            session = self.session
            if session is None:
                return Lost("left", "the call was left")
            lost = await asyncio.shield(session.lost)
            if lost.code in _FINAL:
                return lost
            self.state = "reconnecting"
            self._owner.on_reconnecting(lost)
            refusal = await self._rejoin()
            if refusal is not None:
                return Lost(refusal.code, refusal.detail)
            self._go_live()
            self._owner.on_reconnected()

    async def _rejoin(self) -> Refusal | None:
        """Join until it works; return the server's word if it says that it never will.

        The first try is made at once, unless the last connection was lost as soon as it was made.
        """
        self._stopwatch = Stopwatch()
        if self._loop.time() - self._live_at >= _STABLE_SECONDS:
            self._attempts = 0
        pause_seconds = self._pause_seconds() if self._attempts else 0.0
        while True:
            await asyncio.sleep(pause_seconds)
            try:
                await self._rejoin_once()
            except _NotAllowed as refused:
                return refused.refusal
            except RateLimited as refusal:
                pause_seconds = max(self._pause_seconds(), refusal.retry_after_seconds)
            except Refusal as refusal:
                pause_seconds = self._pause_seconds()
                _log.info("joining the call again did not work yet: %s", refusal)
            else:
                return None

    async def _rejoin_once(self) -> None:
        try:
            ticket = await self._connector.ticket()
        except (Unavailable, RateLimited, Conflict):
            raise
        except Refusal as refusal:
            raise _NotAllowed(refusal) from None
        await self._join(ticket)

    async def _join(self, ticket: VoiceTicket) -> None:
        self.steps.ticket_ms = self._stopwatch.now_ms()
        self._owner.on_session()
        self.session = self._connector.session(ticket, self._owner.keys, self._owner)
        # A node that has died costs little at the first try, a slow one gets time at the next.
        patience_seconds = min(1.0 + self._attempts, _HANDSHAKE_SECONDS_MAX)
        self._attempts += 1
        await self._connector.connect(
            self.session, ticket, self._owner.network, self._stopwatch, patience_seconds
        )

    def _go_live(self) -> None:
        self.state = "live"
        self._live_at = self._loop.time()

    def _pause_seconds(self) -> float:
        """Return a growing pause, drawn anew so that not a whole call knocks at once."""
        longest = min(_PAUSE_SECONDS_MIN * 2 ** min(self._attempts, 8), _PAUSE_SECONDS_MAX)
        return longest * (0.5 + secrets.randbelow(501) / 1000)

    def _end(self, lost: Lost) -> None:
        if self.state != "ended":
            self.state = "ended"
            self._owner.on_ended(lost)


class _NotAllowed(Exception):
    """The server will not let this account into the call any more."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
