"""``sidetone demo --ui``: the demo's server with its members, and the client opened on it."""

import asyncio
import secrets
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from rich.console import Console

from sidetone.all_in_one.demo.company import Company
from sidetone.all_in_one.demo.server import server
from sidetone.client.client import Client
from sidetone.desktop.application.logins import Logins
from sidetone.desktop.infrastructure.keyring_secrets import SECRETS_FILE, FileSecrets
from sidetone.desktop.infrastructure.logins_file import LOGINS_FILE, LoginsFile
from sidetone.protocol.accounts import LoggedIn
from sidetone.runtime.start import StartError, stop_requests

NAMES = ("Ada", "Ben", "Cho", "Dan", "Eve")
GUEST = "You"
_GOODBYE_SECONDS = 10


async def show(console: Console, folder: Path, *, open_: bool) -> None:
    """Populate a server with its data in *folder*, and show it until the client is closed."""
    async with AsyncExitStack() as stack:
        with console.status("starting a server, and members who talk"):
            address = await stack.enter_async_context(
                server(folder / "server", folder / "server.log", unhurried=True)
            )
            members = [await _member(stack, address, folder, name) for name in NAMES]
            home = await members[0].api.servers.create("Northern Gate")
            invite = await members[0].api.servers.invite(home.id)
            for member in members[1:]:
                await member.api.servers.accept_invite(invite.code)
            company = Company(dict(zip(NAMES, members, strict=True)), home)
            await company.furnish()
            await _log_in_guest(company, address, folder / "client")
            await stack.enter_async_context(company.alive(folder))
        console.print(f"Five members are on {home.name}; Ctrl+C ends the demo.")
        await _client(folder / "client", open_=open_)


async def _member(stack: AsyncExitStack, address: str, folder: Path, name: str) -> Client:
    client = await stack.enter_async_context(Client(address, data_dir=folder / "members"))
    await client.register(name, secrets.token_urlsafe(16))
    return client


async def _log_in_guest(company: Company, address: str, folder: Path) -> None:
    """Make the account that the client opens with, and leave its login where it looks."""
    keyring = FileSecrets(folder / SECRETS_FILE)
    logins: list[LoggedIn] = []
    guest = Client(address, data_dir=folder, secrets=keyring, renewed=logins.append)
    async with guest:
        await guest.register(GUEST, secrets.token_urlsafe(16))
        await company.welcome(guest)
    await Logins(keyring, LoginsFile(folder / LOGINS_FILE)).keep(address, logins[-1])


async def _client(folder: Path, *, open_: bool) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidetone.desktop", "--data", str(folder)),
        *([] if open_ else ["--no-open"]),
        stdin=asyncio.subprocess.DEVNULL,
    )
    with stop_requests() as asked:
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(asked.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not ended.done():
            # The keyboard's signal reaches it too; one from elsewhere does not.
            with suppress(ProcessLookupError):
                process.terminate()
        try:
            await asyncio.wait_for(ended, _GOODBYE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
    if process.returncode and not asked.is_set():
        raise StartError("The client ended with an error; it is said above.")
