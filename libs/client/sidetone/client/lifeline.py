"""Keeps a call connected: joins, and joins again when the connection is lost, until it may not."""

import asyncio
import itertools
import logging
import secrets
from typing import Final, Literal, Protocol, TypeAlias

from sidetone.client.connector import Connector, Stopwatch
from sidetone.client.session import Lost, Session, SessionOwner
from sidetone.client.stats import JoinSteps
from sidetone.protocol.refusals import Conflict, RateLimited, Refusal, Unavailable
from sidetone.protocol.requests import VoiceTicket

_log = logging.getLogger(__name__)

State: TypeAlias = Literal["connecting", "live", "reconnecting", "ended"]

# Ends that joining again would not mend, or that would fight with our own other connection.
_FINAL: Final = frozenset({"left", "device_replaced", "rights_lost"})
_FIRST_JOIN_SECONDS_MAX = 6.0
_HANDSHAKE_SECONDS_MAX = 3.0
_DELAY_SECONDS_MIN = 0.1
_DELAY_SECONDS_MAX = 3.0


class LifelineOwner(SessionOwner, Protocol):
    """Who hears how the connection fares. Called on the event loop; must not block."""

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

    @property
    def steps(self) -> JoinSteps:
        """How long each step of the present connection's join took."""
        return self._stopwatch.join

    def note_audio(self) -> None:
        """Note that the first sound of this connection was decrypted."""
        if self.steps.first_audio_ms is None:
            self.steps.first_audio_ms = self._stopwatch.now_ms()

    async def start(self) -> None:
        """Join for the first time.

        The server's refusal is raised at once; a node that does not answer is tried again for a
        few seconds, because it may just be starting anew.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + _FIRST_JOIN_SECONDS_MAX
        for attempt in itertools.count():
            ticket = await self._connector.ticket()
            try:
                await self._join(ticket, attempt)
                break
            except Unavailable:
                if loop.time() >= give_up_at:
                    raise
            await asyncio.sleep(_delay_seconds(attempt))
        self.state = "live"
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
            lost = await session.lost
            if lost.code in _FINAL:
                return lost
            self.state = "reconnecting"
            self._owner.on_reconnecting(lost)
            refusal = await self._rejoin()
            if refusal is not None:
                return Lost(refusal.code, refusal.detail)
            self.state = "live"
            self._owner.on_reconnected()

    async def _rejoin(self) -> Refusal | None:
        """Join until it works; return the server's word if it says that it never will."""
        self._stopwatch = Stopwatch()
        for attempt in itertools.count():
            pause_seconds = _delay_seconds(attempt)
            try:
                await self._rejoin_once(attempt)
            except _NotAllowed as refused:
                return refused.refusal
            except RateLimited as refusal:
                pause_seconds = max(pause_seconds, refusal.retry_after_seconds)
            except Refusal as refusal:
                _log.info("joining the call again did not work yet: %s", refusal)
            else:
                break
            await asyncio.sleep(pause_seconds)
        return None

    async def _rejoin_once(self, attempt: int) -> None:
        try:
            ticket = await self._connector.ticket()
        except (Unavailable, RateLimited, Conflict):
            raise
        except Refusal as refusal:
            raise _NotAllowed(refusal) from None
        await self._join(ticket, attempt)

    async def _join(self, ticket: VoiceTicket, attempt: int) -> None:
        self.steps.ticket_ms = self._stopwatch.now_ms()
        self._owner.on_session()
        self.session = self._connector.session(ticket, self._owner)
        # A node that has died costs little at the first try, a slow one gets time at the next.
        patience_seconds = min(1.0 + attempt, _HANDSHAKE_SECONDS_MAX)
        await self._connector.connect(self.session, ticket, self._stopwatch, patience_seconds)

    def _end(self, lost: Lost) -> None:
        if self.state != "ended":
            self.state = "ended"
            self._owner.on_ended(lost)


class _NotAllowed(Exception):
    """The server will not let this account into the call any more."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def _delay_seconds(attempt: int) -> float:
    """Return a growing pause, drawn anew each time so that a whole call does not knock at once."""
    longest = min(_DELAY_SECONDS_MIN * 2**attempt, _DELAY_SECONDS_MAX)
    return longest * (0.5 + secrets.randbelow(501) / 1000)
