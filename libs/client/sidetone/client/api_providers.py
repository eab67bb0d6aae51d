"""Logging in with an OpenID provider over REST: begun and finished by the same program."""

from typing import cast

from sidetone.client.requests import Requests
from sidetone.protocol.accounts import (
    AskProvider,
    LoggedIn,
    LogInWithCode,
    Provider,
    ProviderAnswer,
    ProviderFlow,
    ProviderStep,
    RegisterWithProvider,
)

# A union is no type to the checker, only to msgspec.
_STEP = cast("type[ProviderStep]", ProviderStep)


class Providers:
    """Who else can say who somebody is. Each answer is a step on the way to a login."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def listed(self) -> list[Provider]:
        """Return the providers that this server trusts."""
        return await self._requests.ask_openly("GET", "/auth/providers", list[Provider])

    async def begin(self, provider: str, redirect_uri: str) -> ProviderFlow:
        """Return where to send the browser, which comes back to *redirect_uri*."""
        path = f"/auth/providers/{provider}/login"
        body = AskProvider(redirect_uri)
        return await self._requests.ask_openly("POST", path, ProviderFlow, body)

    async def finish(self, answer: ProviderAnswer) -> ProviderStep:
        """Return the next step after what the browser brought back; it can be tried once."""
        return await self._requests.ask_openly("POST", "/auth/providers/finish", _STEP, answer)

    async def register(self, ticket: str, name: str) -> LoggedIn:
        """Make the account of somebody who has none here yet."""
        body = RegisterWithProvider(ticket, name)
        return await self._requests.ask_openly("POST", "/auth/providers/register", LoggedIn, body)

    async def give_code(self, challenge: str, code: str) -> LoggedIn:
        """Answer to a second factor that was asked for."""
        body = LogInWithCode(challenge, code)
        return await self._requests.ask_openly("POST", "/auth/login/code", LoggedIn, body)
