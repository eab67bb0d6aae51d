"""From a bearer token to the user who is asking, for every service alike.

A verified token is remembered by its hash until it expires, so that a busy client costs one
signature check in ten minutes. Keys come from the auth service over the bus, by key id, and are
asked for again when an unknown one shows up, but not more often than every few seconds: a flood
of invented key ids costs nothing.
"""

import asyncio
import hashlib
from collections import OrderedDict

import msgspec

from sidetone.bus import Bus
from sidetone.credentials import tokens
from sidetone.credentials.tokens import TokenPolicy, VerifyKeys
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.questions import TokenKeys
from sidetone.protocol.refusals import Unauthenticated
from sidetone.runtime.clock import Clock

_REMEMBERED_MAX = 10_000
_KEYS_ASKED_EVERY_MS = 5_000


class Caller(msgspec.Struct, frozen=True):
    """Who is asking, through which login, for what the token is good, and until when.

    *scopes* is "api" alone for a person; a bot has some of "read", "write", "voice", "manage".
    """

    user: UserId
    login: LoginId
    scopes: frozenset[str]
    expires_at_ms: int


class Callers:
    """Recognises callers by their ``Authorization`` header."""

    def __init__(self, bus: Bus, clock: Clock, policy: TokenPolicy) -> None:
        self._bus = bus
        self._clock = clock
        self._policy = policy
        self._keys: VerifyKeys = {}
        self._asked_at_ms: int | None = None
        self._asking = asyncio.Lock()
        self._remembered: OrderedDict[bytes, Caller] = OrderedDict()

    async def recognise(self, authorization: str | None) -> Caller:
        """Return who sent the header. Raises ``Unauthenticated``, or ``Unavailable``."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("token_missing", "send an access token; log in to get one")
        mark = hashlib.sha256(token.encode()).digest()
        caller = self._remembered.get(mark)
        if caller is not None and self._clock.now_ms() < caller.expires_at_ms:
            self._remembered.move_to_end(mark)
            return caller
        caller = await self._verify(token)
        self._remembered[mark] = caller
        if len(self._remembered) > _REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return caller

    async def _verify(self, token: str) -> Caller:
        if tokens.kid_of(token) not in self._keys:
            await self._ask_for_keys()
        claims = tokens.verify(token, self._keys, self._policy, self._clock.now_ms())
        return Caller(claims.sub, claims.sid, frozenset(claims.scp), claims.exp * 1000)

    async def _ask_for_keys(self) -> None:
        async with self._asking:
            now_ms = self._clock.now_ms()
            asked_at_ms = self._asked_at_ms
            if asked_at_ms is not None and 0 <= now_ms - asked_at_ms < _KEYS_ASKED_EVERY_MS:
                return
            self._keys = tokens.read_key_set(await self._bus.ask(TokenKeys()))
            self._asked_at_ms = now_ms
