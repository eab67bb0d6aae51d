"""``sidetone admin integrator``: other people's programs that read the public events."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import click

from sidetone.all_in_one.commands.admin.nats_config import FOLDER
from sidetone.all_in_one.nats_config.folder import Folder
from sidetone.all_in_one.nats_config.integrators import Integrators, filter_of
from sidetone.protocol.ids import ServerId
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import run
from sidetone.runtime.start import StartError

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000


class Place(NamedTuple):
    """The installation that the command line names."""

    integrators: Integrators
    url: str
    folder: Path
    now_ms: int

    def work(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do *work*; say in one line why it cannot be done."""

        async def main() -> None:
            if not (self.folder / "nats.conf").exists():
                raise StartError(
                    f"there is no configuration in {self.folder}; name another --folder, "
                    "or write one with `sidetone admin nats-config`"
                )
            await work()

        run(main)


@click.group()
@FOLDER
@click.option("--url", default="tls://127.0.0.1:4222", show_default=True, help="The NATS server.")
@click.pass_context
def integrator(context: click.Context, folder: Path, url: str) -> None:
    """Let other people's programs read the public events, or no more."""
    integrators = Integrators(Folder(folder), url)
    context.obj = Place(integrators, url, folder, SystemClock().now_ms())


@integrator.command()
@click.argument("name")
@click.option("--events", default="*", show_default=True, help="message.sent, message.* or *.")
@click.option("--server", type=click.UUID, help="Only what happens in this one.")
@click.option("--days", type=click.IntRange(min=1), help="After so many days it ends by itself.")
@click.pass_obj
def add(place: Place, name: str, events: str, server: UUID | None, days: int | None) -> None:
    """Let NAME read, and write the file that it signs in with."""

    async def work() -> None:
        subjects = filter_of(events, None if server is None else ServerId(server))
        expires_at_ms = None if days is None else place.now_ms + days * _DAY_MS
        _, credentials = await place.integrators.add(name, subjects, place.now_ms, expires_at_ms)
        click.echo(f"{name} reads {subjects} from its place {name} in the stream EVENTS.")
        click.echo(f"Hand over {credentials} and {place.folder / 'tls' / 'ca.pem'}, privately.")

    place.work(work)


@integrator.command("list")
@click.pass_obj
def list_all(place: Place) -> None:
    """Show who may read what, and until when."""
    for each in place.integrators.all():
        until = "" if each.expires_at_ms is None else f" until {_day(each.expires_at_ms)}"
        click.echo(f"{each.name}: {each.filter}, {each.state(place.now_ms)}{until}")


@integrator.command()
@click.argument("name")
@click.option("--hours", type=click.IntRange(min=1), default=24, show_default=True)
@click.pass_obj
def replay(place: Place, name: str, hours: int) -> None:
    """Let NAME hear again what happened in the last hours; the stream keeps a week."""

    async def work() -> None:
        await place.integrators.replay(name, place.now_ms - hours * _HOUR_MS)
        click.echo(f"{name} hears the last {hours} h again.")

    place.work(work)


@integrator.command()
@click.argument("name")
@click.pass_obj
def revoke(place: Place, name: str) -> None:
    """End the credentials of NAME now; its connection is closed."""

    async def work() -> None:
        await place.integrators.revoke(name, place.now_ms)
        click.echo(f"{name} is revoked. Write the configuration again: a new server reads it.")

    place.work(work)


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d")
