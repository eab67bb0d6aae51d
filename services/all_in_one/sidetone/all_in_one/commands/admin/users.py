"""``sidetone admin users``: the accounts of a server, whether it runs or not."""

from collections.abc import AsyncIterator, Awaitable, Callable

import click

import sidetone.auth.app
from sidetone.all_in_one.commands.admin.answers import day, json_option, show
from sidetone.all_in_one.commands.admin.secret_file import password_option
from sidetone.all_in_one.commands.place import Place, note_place, place_options
from sidetone.auth.application.operate_accounts import OperateAccounts
from sidetone.auth.application.operator_ports import AccountLine
from sidetone.runtime.surroundings import Surroundings

users = click.Group(
    "users",
    callback=note_place,
    params=place_options(),
    help="List, make, lock and delete accounts. WHO is a name or an id.",
)


def _operate(place: Place, deed: Callable[[OperateAccounts], Awaitable[None]]) -> None:
    async def work(around: Surroundings) -> None:
        await deed(sidetone.auth.app.operation(around))

    place.operate(work)


@users.command("list")
@click.option("--search", default="", help="Only names that contain this.")
@json_option
@click.pass_obj
def list_(place: Place, search: str, *, as_json: bool) -> None:
    """Show all accounts, the oldest first."""
    _operate(place, lambda accounts: show(accounts.list(search), _line, as_json=as_json))


@users.command("show")
@click.argument("who")
@json_option
@click.pass_obj
def show_(place: Place, who: str, *, as_json: bool) -> None:
    """Show one account."""

    async def deed(accounts: OperateAccounts) -> None:
        await show(_one(await accounts.find(who)), _line, as_json=as_json)

    _operate(place, deed)


@users.command()
@click.argument("name")
@password_option
@click.pass_obj
def create(place: Place, name: str, password: str | None) -> None:
    """Make an account; without --password-file it gets a password, which is shown once."""

    async def deed(accounts: OperateAccounts) -> None:
        line, chosen = await accounts.create(name, password)
        click.echo(f"{line.name} has an account, {line.id}.")
        _tell_password(password, chosen)

    _operate(place, deed)


@users.command()
@click.argument("who")
@click.pass_obj
def disable(place: Place, who: str) -> None:
    """Lock WHO out: logins, sockets and calls end, also those of their bots."""

    async def deed(accounts: OperateAccounts) -> None:
        line = await accounts.disable(who)
        click.echo(f"{line.name} is locked out until you enable the account.")

    _operate(place, deed)


@users.command()
@click.argument("who")
@click.pass_obj
def enable(place: Place, who: str) -> None:
    """Let WHO log in again."""

    async def deed(accounts: OperateAccounts) -> None:
        click.echo(f"{(await accounts.enable(who)).name} can log in.")

    _operate(place, deed)


@users.command()
@click.argument("who")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(place: Place, who: str, *, yes: bool) -> None:
    """Delete the account for ever; what WHO wrote stays, without a name."""
    if not yes:
        click.confirm(f"Delete the account {who!r} for ever?", abort=True)

    async def deed(accounts: OperateAccounts) -> None:
        click.echo(f"The account {(await accounts.delete(who)).name} is deleted.")

    _operate(place, deed)


@users.command("reset-password")
@click.argument("who")
@password_option
@click.option("--drop-second-factor", is_flag=True, help="Forget the authenticator app, too.")
@click.pass_obj
def reset_password(
    place: Place, who: str, password: str | None, *, drop_second_factor: bool
) -> None:
    """Give WHO another password and end their logins."""

    async def deed(accounts: OperateAccounts) -> None:
        line, chosen = await accounts.reset_password(
            who, password, drop_second_factor=drop_second_factor
        )
        click.echo(f"{line.name} has another password, and is logged out everywhere.")
        _tell_password(password, chosen)

    _operate(place, deed)


@users.command("log-out")
@click.argument("who")
@click.pass_obj
def log_out(place: Place, who: str) -> None:
    """End all logins of WHO: sockets and calls end with them."""

    async def deed(accounts: OperateAccounts) -> None:
        line, count = await accounts.log_out(who)
        click.echo(f"{count} logins of {line.name} are over.")

    _operate(place, deed)


def _tell_password(given: str | None, chosen: str) -> None:
    if given is None:
        click.echo(f"The password, shown this once: {chosen}")


async def _one(line: AccountLine) -> AsyncIterator[AccountLine]:
    yield line


def _line(line: AccountLine) -> str:
    marks = [word for word, holds in (("bot", line.bot), ("disabled", line.disabled)) if holds]
    return (
        f"{line.id}  {line.name:<32}  since {day(line.created_at_ms)}, "
        f"last seen {day(line.last_seen_at_ms)}, logins {line.logins}"
        + "".join(f", {mark}" for mark in marks)
    )
