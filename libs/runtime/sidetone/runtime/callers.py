"""From a bearer token to the user who is asking, for every service alike.

A verified token is remembered by its hash until it expires, so that a busy client costs one
signature check in ten minutes. Keys come from the auth service over the bus, by key id, and are
asked for again when an unknown one shows up, but not more often than every few seconds: a flood
of invented key ids costs nothing.

A login that ends before its tokens do is heard of in the journal, and its tokens are refused from
then on. Where it matters most that none slips through, ``require_live`` asks the store as well.
"""

import asyncio
import hashlib
from collections import OrderedDict

import msgspec
import structlog

from sidetone.credentials import tokens
from sidetone.credentials.tokens import DEFAULT_POLICY, LIFETIME_SECONDS, TokenPolicy, VerifyKeys
from sidetone.protocol.events import Fact, LoginEnded
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.questions import TokenKeys
from sidetone.protocol.refusals import Unauthenticated, Unavailable
from sidetone.runtime.surroundings import Surroundings

_REMEMBERED_MAX = 10_000
_ENDED_MAX = 100_000
_KEYS_ASKED_EVERY_MS = 5_000
_FOLLOW_AGAIN_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class Caller(msgspec.Struct, frozen=True):
    """Who is asking, through which login, for what the token is good, and until when.

    *scopes* is "api" alone for a person; a bot has some of "read", "write", "voice", "manage".
    """

    user: UserId
    login: LoginId
    scopes: frozenset[str]
    expires_at_ms: int


def denied_key(login: LoginId) -> str:
    """Return the key under which the store holds that *login* has ended, while tokens live on."""
    return f"denied:{login}"


class Callers:
    """Recognises callers by their ``Authorization`` header."""

    def __init__(self, around: Surroundings, policy: TokenPolicy = DEFAULT_POLICY) -> None:
        self._around = around
        self._policy = policy
        self._keys: VerifyKeys = {}
        self._asked_at_ms: int | None = None
        self._asking = asyncio.Lock()
        self._remembered: OrderedDict[bytes, Caller] = OrderedDict()
        # The login, and when the last of its tokens is over.
        self._ended: OrderedDict[LoginId, int] = OrderedDict()
        around.tasks.start(self._follow_endings())

    def known(self, authorization: str) -> Caller | None:
        """Return who sent the header if that is known without any work."""
        caller = self._remembered.get(_mark(authorization))
        if caller is None or self._around.clock.now_ms() >= caller.expires_at_ms:
            return None
        return caller

    async def recognise(self, authorization: str | None) -> Caller:
        """Return who sent the header. Raises ``Unauthenticated``, or ``Unavailable``."""
        scheme, _, token = (authorization or "").partition(" ")
        if authorization is None or scheme.lower() != "bearer" or not token:
            raise Unauthenticated("token_missing", "send an access token; log in to get one")
        caller = self.known(authorization)
        if caller is not None:
            return caller
        caller = await self._verify(token)
        if caller.login in self._ended:
            raise _over()
        self._remembered[_mark(authorization)] = caller
        if len(self._remembered) > _REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return caller

    async def require_live(self, caller: Caller) -> None:
        """Refuse *caller* if the login has ended, by the store that all services share.

        Raises ``Unauthenticated``, or ``Unavailable`` while the store cannot tell.
        """
        if await self._around.store.get(denied_key(caller.login)) is not None:
            raise _over()

    async def _verify(self, token: str) -> Caller:
        if tokens.kid_of(token) not in self._keys:
            await self._ask_for_keys()
        claims = tokens.verify(token, self._keys, self._policy, self._around.clock.now_ms())
        return Caller(claims.sub, claims.sid, frozenset(claims.scp), claims.exp * 1000)

    async def _ask_for_keys(self) -> None:
        async with self._asking:
            now_ms = self._around.clock.now_ms()
            asked_at_ms = self._asked_at_ms
            if asked_at_ms is not None and 0 <= now_ms - asked_at_ms < _KEYS_ASKED_EVERY_MS:
                return
            self._keys = tokens.read_key_set(await self._around.bus.ask(TokenKeys()))
            self._asked_at_ms = now_ms

    async def _follow_endings(self) -> None:
        while True:
            try:
                await self._around.journal.follow(self._hear, services_only=True)
            except Unavailable:
                await asyncio.sleep(_FOLLOW_AGAIN_SECONDS)
            except Exception:
                _log.exception("journal_not_followed")
                await asyncio.sleep(_FOLLOW_AGAIN_SECONDS)
            else:
                return

    async def _hear(self, fact: Fact) -> None:
        if not isinstance(fact.event, LoginEnded):
            return
        login = fact.event.login
        self._ended[login] = self._around.clock.now_ms() + LIFETIME_SECONDS * 1000
        self._forget_what_is_over()
        for mark in [m for m, caller in self._remembered.items() if caller.login == login]:
            del self._remembered[mark]

    def _forget_what_is_over(self) -> None:
        now_ms = self._around.clock.now_ms()
        while self._ended:
            over_at_ms = next(iter(self._ended.values()))
            if over_at_ms > now_ms and len(self._ended) <= _ENDED_MAX:
                return
            self._ended.popitem(last=False)


def _mark(authorization: str) -> bytes:
    return hashlib.blake2b(authorization.encode(), digest_size=20).digest()


def _over() -> Unauthenticated:
    return Unauthenticated("login_ended", "this login has ended; log in again")
