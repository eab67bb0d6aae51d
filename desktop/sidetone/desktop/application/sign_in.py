"""Get in: with a name and a password, by a new account, or by a login of before."""

import asyncio
from collections.abc import Awaitable

from sidetone.client.client import Client
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.core import Core
from sidetone.desktop.application.logins import Remembered
from sidetone.protocol.refusals import Refusal, Unauthenticated


async def sign_in(core: Core, address: str, name: str, password: str, code: str = "") -> Account:
    """Log in at *address*. Raises ``second_factor_required`` where *code* is missing."""
    client = core.client(address)
    return await _entered(core, address, client, client.log_in(name, password, code=code))


async def register(core: Core, address: str, name: str, password: str) -> Account:
    """Make an account at *address* and be logged in to it."""
    client = core.client(address)
    return await _entered(core, address, client, client.register(name, password))


async def sign_in_again(core: Core) -> list[Refusal]:
    """Go on with all logins that are remembered, at once; return why some could not.

    One that the server ended is forgotten; one whose server is away is kept for the next start.
    """
    remembered = [each for each in await core.logins.all() if each.user not in core.accounts]
    results = await asyncio.gather(*(_again(core, each) for each in remembered))
    return [result for result in results if result is not None]


async def sign_out(core: Core, account: Account) -> None:
    """End the login on the server and forget it here; the device's keys stay."""
    await core.logins.forget(account.id)
    try:
        await account.client.log_out()
    finally:
        await core.leave(account)


async def _entered(
    core: Core, address: str, client: Client, entering: Awaitable[object]
) -> Account:
    """Take *client* in when it has got in, and close it when it has not."""
    try:
        await entering
    except BaseException:
        await client.__aexit__(None, None, None)
        raise
    return core.enter(address, client)


async def _again(core: Core, remembered: Remembered) -> Refusal | None:
    token = await core.logins.token(remembered)
    if token is None:
        await core.logins.forget(remembered.user)
        return Unauthenticated("login_forgotten", f"sign in as {remembered.name} again")
    client = core.client(remembered.address)
    try:
        await _entered(core, remembered.address, client, client.log_in_again(token))
    except Unauthenticated as refusal:
        await core.logins.forget(remembered.user)
        return refusal
    except Refusal as refusal:
        return refusal
    return None
