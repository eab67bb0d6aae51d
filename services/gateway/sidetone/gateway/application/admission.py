"""Who is at the door: from an access token to somebody whose login goes on."""

from sidetone.protocol.refusals import Unauthenticated
from sidetone.runtime.callers import Caller, Callers
from sidetone.runtime.limits import Limiter

_MAY_LISTEN = frozenset({"api", "read"})


class Admission:
    """Recognises the bearer of a token, and refuses one whose login has ended."""

    def __init__(self, callers: Callers, limiter: Limiter) -> None:
        self._callers = callers
        self._limiter = limiter

    async def __call__(self, token: str) -> Caller:
        """Return whose *token* it is.

        Raises ``Unauthenticated``; ``RateLimited`` for who comes too often; ``Unavailable``.
        """
        caller = await self._callers.recognise(f"Bearer {token}")
        await self._callers.require_live(caller)
        if not caller.scopes & _MAY_LISTEN:
            raise Unauthenticated("scope_missing", "this token may not read; make one that may")
        await self._limiter.take(str(caller.user))
        return caller
