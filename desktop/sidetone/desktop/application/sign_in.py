"""Get in: with a name and a password, by a new account, or by a login of before."""

import asyncio
from collections.abc import Awaitable
from typing import Final

from sidetone.client.client import Client
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.program import Core
from sidetone.desktop.application.returning import Returning
from sidetone.desktop.domain.topics import Topic, topics
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Refusal, Unauthenticated

# Between two tries to reach a server machine that is away.
_PAUSE_SECONDS_MIN: Final = 1.0
_PAUSE_SECONDS_MAX: Final = 10.0


async def sign_in(core: Core, address: str, name: str, password: str, code: str = "") -> Account:
    """Log in at *address*. Raises ``second_factor_required`` where *code* is missing."""
    client = core.client(address)
    return await entered(core, address, client, client.log_in(name, password, code=code))


async def register(core: Core, address: str, name: str, password: str) -> Account:
    """Make an account at *address* and be logged in to it."""
    client = core.client(address)
    return await entered(core, address, client, client.register(name, password))


async def ask_reset(core: Core, address: str, mail: str) -> None:
    """Have the server machine at *address* send a code to *mail*, if an account has it."""
    async with core.client(address) as client:
        await client.api.accounts.ask_reset(mail.strip())


async def reset_password(core: Core, address: str, token: str, new_password: str) -> None:
    """Choose a new password with the code of the mail."""
    async with core.client(address) as client:
        await client.api.accounts.reset_password(token.strip(), new_password)


async def remember_logins(core: Core) -> None:
    """Read which logins are to be gone on with; ``sign_in_again`` does so."""
    for each in await core.logins.all():
        core.returning[each.user] = Returning(each)


async def sign_in_again(core: Core) -> None:
    """Go on with all remembered logins at once; where the server is away, until it is there.

    One that the server ended is forgotten, and shown as such until somebody signs in again.
    """
    await asyncio.gather(*(_come_back(core, each) for each in list(core.returning.values())))


async def forget_login(core: Core, returning: Returning) -> None:
    """Try no longer to go on with a login, and remember it no more."""
    core.returning.pop(returning.remembered.user, None)
    await core.logins.forget(returning.remembered.user)
    core.told(topics(Topic("accounts")))


async def sign_out(core: Core, account: Account) -> None:
    """End the login on the server and forget it here, and what waited to be sent.

    The device's keys stay.
    """
    await core.logins.forget(account.id)
    try:
        await account.client.log_out()
    finally:
        await core.leave(account)
        await account.outbox.clear()


async def entered(
    core: Core, address: str, client: Client, entering: Awaitable[object]
) -> Account:
    """Take *client* in when it has got in, and close it when it has not."""
    try:
        await entering
    except BaseException:
        await client.__aexit__(None, None, None)
        raise
    return core.enter(address, client)


async def _come_back(core: Core, returning: Returning) -> None:
    user = returning.remembered.user
    pause = _PAUSE_SECONDS_MIN
    while core.returning.get(user) is returning and not returning.ended:
        try:
            await _try(core, returning)
        except Refusal as refusal:
            returning.problem = refusal.detail
            # Another key at that address says nothing about the login.
            if isinstance(refusal, Unauthenticated) and refusal.code != "server_key_wrong":
                returning.ended = True
                await core.logins.forget(user)
        else:
            break
        core.told(topics(Topic("accounts")))
        await returning.wait(0 if returning.ended else pause)
        pause = min(_PAUSE_SECONDS_MAX, 2 * pause)
    returning.over.set()


async def _try(core: Core, returning: Returning) -> None:
    remembered = returning.remembered
    token = await core.logins.token(remembered)
    if token is None:
        raise Unauthenticated("login_forgotten", tr("This sign-in was lost; sign in again."))
    client = core.client(remembered.address)
    await entered(core, remembered.address, client, client.log_in_again(token))
