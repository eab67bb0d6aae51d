"""Get in by an OpenID provider: in the system browser, which comes back to a port of this process.

The provider's page is never inside the client, so that nobody types a password into it who cannot
see whose page it is (RFC 8252).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from sidetone.client.client import Client
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.program import Core
from sidetone.desktop.application.sign_in import entered
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.accounts import (
    LoggedIn,
    NameRequired,
    Provider,
    ProviderAnswer,
    ProviderStep,
    SecondFactorRequired,
)
from sidetone.protocol.refusals import Unauthenticated, Unavailable

# As long as the server keeps the question.
_BROWSER_SECONDS: Final = 600


class Return(Protocol):
    """Where the browser comes back to."""

    redirect_uri: str

    async def came(self) -> dict[str, str]:
        """Return what the browser brought, once it is back."""
        ...


class Loopback(Protocol):
    """Listens on this machine for a browser that comes back."""

    def listening(self) -> AbstractAsyncContextManager[Return]:
        """Listen while the block runs."""
        ...


async def providers(core: Core, address: str) -> list[Provider]:
    """Return who else can say who somebody is at *address*."""
    async with core.client(address) as client:
        return await client.api.providers.listed()


async def ask_provider(
    core: Core,
    address: str,
    provider: str,
    loopback: Loopback,
    show: Callable[[str], Awaitable[None]],
) -> ProviderStep:
    """Let *show* open the provider's page, and return the step that follows it."""
    async with core.client(address) as client, loopback.listening() as back:
        flow = await client.api.providers.begin(provider, back.redirect_uri)
        await show(flow.url)
        try:
            brought = await asyncio.wait_for(back.came(), _BROWSER_SECONDS)
        except TimeoutError:
            raise Unavailable(
                "provider_silent", tr("The browser did not come back; try again.")
            ) from None
        if brought.get("state") != flow.state or not brought.get("code"):
            raise Unauthenticated(
                "provider_refused", tr("The provider did not let you in; try again.")
            )
        answer = ProviderAnswer(flow.flow, flow.state, brought["code"], brought.get("iss", ""))
        return await client.api.providers.finish(answer)


async def finish(core: Core, address: str, step: ProviderStep, given: str = "") -> Account:
    """Get in after *step*; *given* is the code or the name that it asks for."""
    client = core.client(address)
    return await entered(core, address, client, _log_in(client, step, given))


async def _log_in(client: Client, step: ProviderStep, given: str) -> None:
    login = step
    if isinstance(login, NameRequired):
        login = await client.api.providers.register(login.ticket, given)
    elif isinstance(login, SecondFactorRequired):
        login = await client.api.providers.give_code(login.challenge, given)
    assert isinstance(login, LoggedIn)  # noqa: S101 (the other steps are gone)
    await client.log_in_with(login)
