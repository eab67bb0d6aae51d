"""``sidetone admin servers``: the servers of the platform, whether it runs or not."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import click
import msgspec

import sidetone.auth.app
import sidetone.chat.app
from sidetone.all_in_one.commands.admin.answers import day, json_option, show
from sidetone.all_in_one.commands.place import Place, note_place, place_options
from sidetone.chat.application.operate_servers import OperateServers
from sidetone.chat.application.operator_ports import ServerLine
from sidetone.protocol.ids import UserId
from sidetone.protocol.servers import ServerState
from sidetone.runtime.surroundings import Surroundings

servers = click.Group(
    "servers",
    callback=note_place,
    params=place_options(),
    help="List, hand over and delete servers. SERVER is an id, or a name that only one has.",
)


def _operate(
    place: Place, deed: Callable[[OperateServers, Surroundings], Awaitable[None]]
) -> None:
    async def work(around: Surroundings) -> None:
        await deed(sidetone.chat.app.operation(around), around)

    place.operate(work)


@servers.command("list")
@click.option("--search", default="", help="Only names that contain this.")
@json_option
@click.pass_obj
def list_(place: Place, search: str, *, as_json: bool) -> None:
    """Show all servers, the oldest first."""
    _operate(place, lambda operate, _: show(operate.list(search), _line, as_json=as_json))


@servers.command("show")
@click.argument("server")
@json_option
@click.pass_obj
def show_(place: Place, server: str, *, as_json: bool) -> None:
    """Show a server with its channels, roles and members."""

    async def deed(operate: OperateServers, _: Surroundings) -> None:
        state = await operate.state(server)
        click.echo(msgspec.json.encode(state).decode() if as_json else _described(state))

    _operate(place, deed)


@servers.command()
@click.argument("server")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(place: Place, server: str, *, yes: bool) -> None:
    """Delete a server with all that is in it."""
    if not yes:
        click.confirm(f"Delete the server {server!r} with all its messages?", abort=True)

    async def deed(operate: OperateServers, _: Surroundings) -> None:
        line = await operate.delete(server)
        click.echo(f"{line.name} is deleted; its messages go within minutes while a server runs.")

    _operate(place, deed)


@servers.command()
@click.argument("server")
@click.argument("who")
@click.pass_obj
def transfer(place: Place, server: str, who: str) -> None:
    """Make WHO, a member, the owner of a server."""

    async def deed(operate: OperateServers, around: Surroundings) -> None:
        line = await operate.transfer(server, await _user(around, who))
        click.echo(f"{line.name} belongs to {who} now.")

    _operate(place, deed)


@servers.command("keep-messages")
@click.argument("server")
@click.argument("days", type=click.IntRange(0, 36_500), required=False)
@click.pass_obj
def keep_messages(place: Place, server: str, days: int | None) -> None:
    """Let messages of a server go after DAYS; 0: never; without DAYS: as everywhere."""

    async def deed(operate: OperateServers, _: Surroundings) -> None:
        line = await operate.keep_messages(server, days)
        kept = {None: "as long as those of all others", 0: "for ever"}.get(days, f"{days} days")
        click.echo(f"Messages of {line.name} are kept {kept}.")

    _operate(place, deed)


@servers.command("make-admin")
@click.argument("server")
@click.argument("who")
@click.pass_obj
def make_admin(place: Place, server: str, who: str) -> None:
    """Let WHO, a member, do everything in a server, by a role."""

    async def deed(operate: OperateServers, around: Surroundings) -> None:
        line = await operate.make_admin(server, await _user(around, who))
        click.echo(f"{who} may do everything in {line.name}.")

    _operate(place, deed)


@servers.command("drop-admin")
@click.argument("server")
@click.argument("who")
@click.pass_obj
def drop_admin(place: Place, server: str, who: str) -> None:
    """Take the roles from WHO that let them do everything in a server."""

    async def deed(operate: OperateServers, around: Surroundings) -> None:
        line = await operate.drop_admin(server, await _user(around, who))
        click.echo(f"{who} has no role in {line.name} that allows everything.")

    _operate(place, deed)


async def _user(around: Surroundings, who: str) -> UserId:
    """Return the id of *who*; names need the tables of auth in the same database."""
    try:
        return UserId(UUID(who))
    except ValueError:
        return (await sidetone.auth.app.operation(around).find(who)).id


def _line(line: ServerLine) -> str:
    return (
        f"{line.id}  {line.name:<32}  since {day(line.created_at_ms)}, owner {line.owner}, "
        f"members {line.members}, channels {line.channels}"
    )


def _described(state: ServerState) -> str:
    server = state.server
    roles = sorted(state.roles, key=lambda role: -role.position)
    return "\n".join(
        [
            f"{server.id}  {server.name}",
            f"owner {server.owner}",
            *(f"channel {each.id}  {each.kind:<8}  {each.name}" for each in state.channels),
            *(f"role {each.id}  {each.name}" for each in roles),
            *(f"member {each.user}  since {day(each.joined_at_ms)}" for each in state.members),
        ]
    )
